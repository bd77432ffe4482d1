import { asc, eq, inArray } from 'drizzle-orm';
import { dataCenter, host } from '../../../db/schema/index.js';
import { latestGeneration } from '../../../shared/certificates.js';
import type { Transaction } from '../dependencies.js';

/**
 * Hosts, then their zone, then what is wanted of them: whoever locks several of these does it in this order.
 *
 * @returns the generation of which each has said last that it has it
 */
export async function lockHosts(tx: Transaction, hostIds: string[]): Promise<Map<string, number>> {
  const rows = await tx
    .select({ id: host.id, generation: host.keystoreGeneration })
    .from(host)
    .where(inArray(host.id, hostIds))
    .orderBy(asc(host.id))
    .for('no key update');
  return new Map(rows.map(({ id, generation }) => [id, latestGeneration([generation])]));
}

/** Nobody changes what is wanted in the zone meanwhile. Gives its generation. */
export async function lockZone(tx: Transaction, zoneId: string): Promise<number> {
  const [zone] = await tx
    .select({ generation: dataCenter.certificateGeneration })
    .from(dataCenter)
    .where(eq(dataCenter.id, zoneId))
    .for('no key update');
  return zone?.generation ?? 0;
}
