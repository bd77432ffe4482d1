import { and, eq, exists, isNull, type SQL, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { vmInstance, volumes } from './schema/index.js';

/** Whether a volume is the root disk of a VM, yet to be made: no start of the VM has succeeded so far. */
export const isDiskToMake = (vmId: string | typeof vmInstance.id): SQL | undefined =>
  and(
    eq(volumes.instanceId, vmId),
    eq(volumes.volumeType, 'ROOT'),
    isNull(volumes.removed),
    eq(volumes.state, 'Allocated'),
  );

/** Whether a VM of the query has no disk yet. */
export const hasNoDisk = (db: Pick<Database, 'select'>): SQL =>
  exists(
    db
      .select({ one: sql`1` })
      .from(volumes)
      .where(isDiskToMake(vmInstance.id)),
  );

/**
 * Starting, for a Stopped VM that has no disk yet: from here on it is as one that is deployed. Call it in the transaction
 * of the job.
 *
 * @returns false for every other VM, which stays as it is
 */
export async function takeForFirstStart(tx: Pick<Database, 'select' | 'update'>, vmId: string): Promise<boolean> {
  const taken = await tx
    .update(vmInstance)
    .set({ state: 'Starting' })
    .where(and(eq(vmInstance.id, vmId), eq(vmInstance.state, 'Stopped'), hasNoDisk(tx)))
    .returning({ id: vmInstance.id });
  return taken.length > 0;
}
