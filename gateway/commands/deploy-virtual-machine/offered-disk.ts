import { findDiskOffering } from '../../../db/reads/list-disk-offerings.js';
import { invalid } from '../../protocol/invalid.js';
import { noSuchEntity } from '../../protocol/standard-texts.js';
import type { CommandContext } from '../define-command.js';
import { toBytes } from '../disk-size.js';

/**
 * A root disk of the size that an offering, the parameter `diskofferingid`, has or leaves to whoever uses it. Texts are
 * CloudStack's.
 *
 * @param sizeGib what whoever uses it has said
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE, SLIPWAY_PARAMETER_INVALID
 */
export async function offeredDisk(
  { diskOfferingId, sizeGib }: { diskOfferingId: string; sizeGib: number | undefined },
  { db, command }: CommandContext,
): Promise<{ sizeBytes: number; diskOfferingId: string }> {
  const offering = await findDiskOffering(db, diskOfferingId);
  if (!offering) throw noSuchEntity(command, 'diskofferingid', diskOfferingId);
  if (offering.sizeBytes !== null) {
    if (sizeGib !== undefined) throw invalid('This disk offering does not allow custom disk size');
    return { sizeBytes: offering.sizeBytes, diskOfferingId };
  }
  if (sizeGib === undefined) throw invalid('This disk offering requires a custom size specified');
  return { sizeBytes: toBytes(sizeGib), diskOfferingId };
}
