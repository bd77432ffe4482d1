import { type DeployableTemplate, findTemplate } from '../../../db/reads/find-deployment-parts.js';
import { SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';
import { noSuchEntity } from '../../protocol/standard-texts.js';
import type { CommandContext } from '../define-command.js';

/**
 * What a root disk is to be made from: the template or ISO that the parameter `templateid` names. Texts are CloudStack's
 * where it has one.
 *
 * @param zoneName how the text of an error names the zone
 * @throws SlipwayError SLIPWAY_PARAMETER_VALUE for one that is not there; SLIPWAY_PARAMETER_INVALID for a system template
 *   and for an ISO that no guest boots from; SLIPWAY_RESOURCE_STATE for one that the zone does not have
 */
export async function deployableTemplate(
  { id, zoneId, zoneName }: { id: string; zoneId: string; zoneName: string },
  { db, caller, command }: CommandContext,
): Promise<DeployableTemplate> {
  const template = await findTemplate(db, caller, { id, zoneId });
  if (!template) throw noSuchEntity(command, 'templateid', id);
  const { name, type, format, bootable, isInZone } = template;
  if (type === 'SYSTEM') {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Unable to use system template ${name} to deploy a user vm`);
  }
  if (!isDiskFormat(format) && !bootable) {
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Installing from ISO requires an ISO that is bootable: ${id}`);
  }
  if (!isInZone) {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${name} is not registered in ${zoneName}`);
  }
  return template;
}
