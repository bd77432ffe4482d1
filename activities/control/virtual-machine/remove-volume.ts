import { and, eq, isNotNull, isNull, ne, not, notExists, or, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import { hasRunningJob } from '../../../db/job-sql.js';
import { isMaintained } from '../../../db/pool-sql.js';
import { cleanupDebt, host, storagePool, storagePoolHostRef, vmInstance, volumes } from '../../../db/schema/index.js';
import { undoToken } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';

/**
 * Root disks that are not their VM's: one that a restore took the place of, or one that a failed restore has made. Their
 * rows are the promise that their files are removed, whatever ended the workflow that made them.
 */
export const isDead = and(isNotNull(volumes.removed), ne(volumes.state, 'Expunged'));

/**
 * While an operation works on the VM, or a host may still run it, the disk may be its disk again. Nothing is removed from
 * a pool in maintenance.
 */
export function isLeftAlone(db: Pick<Database, 'select'>) {
  const owed = db
    .select({ one: sql`1` })
    .from(cleanupDebt)
    .where(eq(cleanupDebt.vmId, volumes.instanceId));
  const maintained = db
    .select({ one: sql`1` })
    .from(storagePool)
    .where(and(eq(storagePool.id, volumes.poolId), isMaintained));
  return and(not(hasRunningJob(db, volumes.instanceId)), notExists(owed), notExists(maintained));
}

export interface RemoveVolumeInput {
  volumeId: string;
}

export interface VolumeRemoval {
  hostId: string;
  hostName: string;
  vmId: string;
  /** Of whatever ends the VM's present try: one that makes the file late is refused from here on. */
  token: number;
  poolId: string;
  volumeId: string;
  /** The newest try that made a file of it. */
  upToToken: number;
}

export type PlanVolumeRemovalResult =
  | { outcome: 'planned'; removal: VolumeRemoval }
  /** There is no file, or nobody will ever reach it again. */
  | { outcome: 'nothing there' }
  /** It is in use, or gone, or no host that could remove it is Up: somebody looks again later. */
  | { outcome: 'not now' };

/** A disk that was never recorded is removed by the host that was to make it: it may still be at it. */
export const planVolumeRemoval =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  async ({ volumeId }: RemoveVolumeInput): Promise<PlanVolumeRemovalResult> => {
    const [dead] = await db
      .select({ volume: volumes, fenceToken: vmInstance.fenceToken, vmHostId: vmInstance.hostId, pool: storagePool })
      .from(volumes)
      .innerJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
      .leftJoin(storagePool, eq(storagePool.id, volumes.poolId))
      .where(and(eq(volumes.id, volumeId), isDead, isLeftAlone(db)));
    if (!dead) return { outcome: 'not now' };
    const { volume, pool, fenceToken, vmHostId } = dead;
    const wasNeverBegun = volume.state === 'Allocated' && volume.hostId === null;
    if (wasNeverBegun || !pool || pool.removed !== null) return { outcome: 'nothing there' };
    const [remover] = await db
      .select({ hostId: host.id, hostName: host.name })
      .from(storagePoolHostRef)
      .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
      .where(
        and(
          eq(storagePoolHostRef.poolId, pool.id),
          eq(host.status, 'Up'),
          isNull(host.removed),
          volume.state === 'Ready' ? undefined : or(eq(host.id, volume.hostId!), isRemoved(db, volume.hostId!)),
        ),
      )
      .orderBy(
        sql`${storagePoolHostRef.problem} is null desc`,
        sql`${host.id} = ${vmHostId} desc nulls last`,
        host.name,
      )
      .limit(1);
    if (!remover) return { outcome: 'not now' };
    const removal = {
      ...remover,
      vmId: volume.instanceId!,
      token: undoToken(fenceToken),
      poolId: pool.id,
      volumeId,
      upToToken: volume.token ?? 0,
    };
    return { outcome: 'planned', removal };
  };

const isRemoved = (db: Pick<Database, 'select'>, hostId: string) =>
  sql`exists (${db
    .select({ one: sql`1` })
    .from(host)
    .where(and(eq(host.id, hostId), isNotNull(host.removed)))})`;

/** Its file is gone: its space and what it stood on are free. Done twice it changes nothing. */
export const recordVolumeRemoved =
  ({ db }: Pick<ControlDependencies, 'db'>) =>
  async ({ volumeId }: RemoveVolumeInput): Promise<void> =>
    db.transaction(async (tx) => {
      const dead = await lockDead(tx, volumeId);
      if (!dead) return;
      await tx
        .update(volumes)
        .set({ state: 'Expunged', path: null, templateSpoolRefId: null, reservedBytes: 0, hostId: null })
        .where(eq(volumes.id, volumeId));
      if (dead.poolId === null) return;
      await tx
        .update(storagePool)
        .set({ allocatedBytes: sql`${storagePool.allocatedBytes} - ${dead.reservedBytes}` })
        .where(eq(storagePool.id, dead.poolId));
    });

async function lockDead(tx: Transaction, volumeId: string) {
  const [dead] = await tx
    .select()
    .from(volumes)
    .where(and(eq(volumes.id, volumeId), isDead))
    .for('update');
  return dead;
}
