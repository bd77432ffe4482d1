import { randomBytes } from 'node:crypto';
import { and, inArray, isNull, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { macAddressOf } from '../shared/mac-address.js';
import type { Database } from './client.js';
import { networks, nics } from './schema/index.js';

/** With 40 random bits even one repetition is a rarity; a run of them is a defect. */
const MAXIMUM_TRIES = 10;

export interface NewNic {
  networkId: string;
  /** One is made up when absent. */
  macAddress?: string;
}

/**
 * Inserts the interfaces of a new VM, the default one first. Call it in the transaction of the VM: the networks are
 * held until then, so that none of them is deleted in between.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when a network is gone; SLIPWAY_PARAMETER_INVALID when the address that was
 * asked for is in use
 */
export async function insertNics(
  db: Pick<Database, 'select' | 'insert'>,
  instanceId: string,
  wanted: readonly NewNic[],
): Promise<void> {
  if (wanted.length === 0) return;
  const ids = [...new Set(wanted.map(({ networkId }) => networkId))];
  const held = await db
    .select({ id: networks.id })
    .from(networks)
    .where(and(inArray(networks.id, ids), isNull(networks.removed)))
    // One order for all, so that two deployments and two deletions never wait for each other in a circle.
    .orderBy(networks.id)
    // What the foreign key of the interface takes too: a stronger lock of the one User network would be taken, and given
    // up, by every deployment of the zone.
    .for('key share');
  if (held.length < ids.length) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'A network of the VM is gone');
  for (const [deviceId, { networkId, macAddress }] of wanted.entries()) {
    await insertNic(db, { instanceId, networkId, deviceId }, macAddress);
  }
}

/** The index on addresses decides, whoever else makes up addresses at the same time. */
async function insertNic(
  db: Pick<Database, 'insert'>,
  nic: { instanceId: string; networkId: string; deviceId: number },
  given: string | undefined,
): Promise<void> {
  for (let tries = 0; tries < MAXIMUM_TRIES; tries++) {
    const inserted = await db
      .insert(nics)
      .values({ ...nic, macAddress: given ?? macAddressOf(randomBytes(5)) })
      .onConflictDoNothing({ target: nics.macAddress, where: sql`removed is null` })
      .returning({ id: nics.id });
    if (inserted.length > 0) return;
    if (given !== undefined) {
      throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `The mac address ${given} is in use by another VM`);
    }
  }
  throw new SlipwayError('SLIPWAY_INTERNAL', 'No mac address could be made up that is not in use');
}
