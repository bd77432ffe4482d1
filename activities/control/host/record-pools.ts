import { and, eq, exists, notInArray, sql } from 'drizzle-orm';
import { inOrder } from '../../../db/announce-pool.js';
import { host, storagePool, storagePoolHostRef } from '../../../db/schema/index.js';
import type { PoolReport } from '../../../shared/hosts.js';
import type { Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';

/** Sizes, and whether the host can make new disks there: an event for each change of that, and not for each look. */
export async function recordPools(tx: Transaction, hostId: string, pools: PoolReport[]): Promise<void> {
  for (const { poolId, capacityBytes, usedBytes, problem } of inOrder(pools)) {
    // What a host says of a pool that it cannot read would overwrite what the others of a shared one see.
    if (problem === undefined) {
      await tx
        .update(storagePool)
        .set({ capacityBytes, usedBytes })
        .where(and(eq(storagePool.id, poolId), isReachedBy(tx, hostId)));
    }
    await noteProblem(tx, { hostId, poolId }, problem ?? null);
  }
}

/** A host has its word on its own pools only: with sizes of another's it could keep all work away from there. */
const isReachedBy = (tx: Transaction, hostId: string) =>
  exists(
    tx
      .select({ one: sql`1` })
      .from(storagePoolHostRef)
      .where(and(eq(storagePoolHostRef.poolId, storagePool.id), eq(storagePoolHostRef.hostId, hostId))),
  );

/** A pool that was taken out of the host's configuration takes no new work there. */
export async function noteMissingPools(tx: Transaction, hostId: string, reported: PoolReport[]): Promise<void> {
  const missing = await tx
    .select({ poolId: storagePoolHostRef.poolId })
    .from(storagePoolHostRef)
    .where(
      and(
        eq(storagePoolHostRef.hostId, hostId),
        notInArray(
          storagePoolHostRef.poolId,
          reported.map(({ poolId }) => poolId),
        ),
      ),
    );
  for (const { poolId } of missing) {
    await noteProblem(tx, { hostId, poolId }, 'the host does not have it in its configuration any more');
  }
}

async function noteProblem(
  tx: Transaction,
  { hostId, poolId }: { hostId: string; poolId: string },
  problem: string | null,
): Promise<void> {
  const isPlace = and(eq(storagePoolHostRef.poolId, poolId), eq(storagePoolHostRef.hostId, hostId));
  const [before] = await tx
    .select({ problem: storagePoolHostRef.problem, hostName: host.name, poolName: storagePool.name })
    .from(storagePoolHostRef)
    .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
    .innerJoin(storagePool, eq(storagePool.id, storagePoolHostRef.poolId))
    .where(isPlace);
  if (!before || before.problem === problem) return;
  await tx.update(storagePoolHostRef).set({ problem }).where(isPlace);
  // Another text for the same trouble is no news.
  if ((before.problem === null) === (problem === null)) return;
  const { hostName, poolName } = before;
  await recordEvent(tx, {
    type: `STORAGE.POOL.${problem === null ? 'AVAILABLE' : 'UNAVAILABLE'}`,
    level: problem === null ? 'INFO' : 'WARN',
    description:
      problem === null
        ? `Host ${hostName} can use pool ${poolName} again`
        : `Host ${hostName} cannot use pool ${poolName}, and gets no new disks there: ${problem}`,
    resourceType: 'StoragePool',
    resourceId: poolId,
  });
}
