import { ApplicationFailure } from '@temporalio/common';
import { and, eq, ne } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { markExpunged } from '../../../db/mark-expunged.js';
import { storagePool, vmInstance, volumes } from '../../../db/schema/index.js';
import type { ErrorCode } from '../../../shared/errors.js';
import { type DestroyVirtualMachineInput, type Placement, TOKENS_PER_TRY } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { SUCCEEDED } from '../job-outcomes.js';
import { lockVm, placementsOf, recordVmEvent } from './vm-operation.js';

const LOOK_AGAIN_MS = 5_000;

export interface BegunDestroy {
  /** What the VM still holds on hosts: with `expunge` everything, without where it may run. */
  placements: Placement[];
}

/** @returns null when the job has ended or the VM is expunged already: somebody started this workflow once too often */
export const beginDestroy =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, expunge }: DestroyVirtualMachineInput): Promise<BegunDestroy | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return null;
      if (vm.state === 'Expunged') {
        // The operation before this one was the last. A job that nobody ended would be begun again and again.
        await completeJob(tx, jobId, SUCCEEDED);
        return null;
      }
      if (expunge) await requireReachableDisks(tx, vmId);
      const fenceToken = vm.fenceToken + TOKENS_PER_TRY;
      await tx
        .update(vmInstance)
        .set({ state: expunge ? 'Expunging' : 'Stopping', fenceToken })
        .where(eq(vmInstance.id, vmId));
      // A VM that runs nowhere has nothing to stop, and its host need not be asked.
      const placements = await placementsOf(tx, vmId, { isComputing: !expunge, ofEveryDisk: expunge });
      return { placements: expunge ? placements.map((one) => ({ ...one, endToken: fenceToken })) : placements };
    });

/** Destroyed (recoverable, its disk stays) or Expunged, and the job done. */
export const recordDestroyed =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, expunge }: DestroyVirtualMachineInput): Promise<void> =>
    db.transaction(async (tx) => {
      // A workflow that is reset when all is done must not touch what was recovered since.
      if (!(await lockVm(tx, { vmId, jobId }))) return;
      const vm = expunge ? await markExpunged(tx, vmId, 'Expunging') : await markDestroyed(tx, vmId);
      await completeJob(tx, jobId, SUCCEEDED);
      if (!vm) return;
      await recordVmEvent(tx, vm, expunge ? 'EXPUNGE' : 'DESTROY', 'INFO', `VM ${vm.name} is ${vm.state}`, jobId);
    });

async function markDestroyed(tx: Transaction, vmId: string): Promise<typeof vmInstance.$inferSelect | undefined> {
  const [vm] = await tx
    .update(vmInstance)
    .set({ state: 'Destroyed', hostId: null, ended: new Date().toISOString() })
    .where(and(eq(vmInstance.id, vmId), eq(vmInstance.state, 'Stopping')))
    .returning();
  return vm;
}

/**
 * What a host cannot remove it owes, and is not Up until it can: while a pool is maintained it may not even be mounted.
 * The expunge waits: this is tried again until it succeeds, and the Temporal Web UI shows why.
 */
async function requireReachableDisks(tx: Transaction, vmId: string): Promise<void> {
  const [pool] = await tx
    .select({ name: storagePool.name })
    .from(volumes)
    .innerJoin(storagePool, eq(storagePool.id, volumes.poolId))
    .where(and(eq(volumes.instanceId, vmId), ne(volumes.state, 'Expunged'), eq(storagePool.status, 'Maintenance')))
    .limit(1);
  if (!pool) return;
  throw ApplicationFailure.create({
    type: 'SLIPWAY_POOL_MAINTENANCE' satisfies ErrorCode,
    message: `Pool ${pool.name} is in maintenance: its disks are removed afterwards`,
    nextRetryDelay: LOOK_AGAIN_MS,
  });
}
