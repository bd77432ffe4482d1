import { and, eq, isNull } from 'drizzle-orm';
import type { Transaction } from './client.js';
import { nics, vmInstance, volumes } from './schema/index.js';

type VmRow = typeof vmInstance.$inferSelect;

/**
 * Nothing is left of a VM but its rows, and what hosts owe for it.
 *
 * @param from the state that it has to be in; in another the VM stays as it is
 * @returns the VM, if it was in that state
 */
export async function markExpunged(
  tx: Transaction,
  vmId: string,
  from: 'Destroyed' | 'Error' | 'Expunging',
): Promise<VmRow | undefined> {
  const removed = new Date().toISOString();
  const [vm] = await tx
    .update(vmInstance)
    .set({ state: 'Expunged', hostId: null, removed, isoSpoolRefId: null })
    .where(and(eq(vmInstance.id, vmId), eq(vmInstance.state, from)))
    .returning();
  await tx
    .update(volumes)
    .set({ state: 'Expunged', removed, templateSpoolRefId: null, path: null })
    // One that another took the place of counts for space of its own, and is removed by itself.
    .where(and(eq(volumes.instanceId, vmId), isNull(volumes.removed)));
  // Its addresses may be given to others now, and its networks be deleted.
  await tx
    .update(nics)
    .set({ removed })
    .where(and(eq(nics.instanceId, vmId), isNull(nics.removed)));
  return vm;
}
