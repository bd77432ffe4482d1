import { and, eq } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { asyncJob, storagePool, storagePoolWork } from '../../../db/schema/index.js';
import type { Failure } from '../../../shared/failures.js';
import type { PoolJobInput, PoolVirtualMachine } from '../../../shared/pools.js';
import type { ControlDependencies } from '../dependencies.js';
import { failedOutcome } from '../job-outcomes.js';
import { recordPoolEvent } from './lock-pool.js';

export interface RecordPoolJobInput extends PoolJobInput {
  /** What could not be started again. */
  virtualMachines: PoolVirtualMachine[];
}

export const recordPoolJobDone =
  ({ db }: ControlDependencies) =>
  async ({ poolId, jobId, virtualMachines }: RecordPoolJobInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [job] = await tx.select().from(asyncJob).where(eq(asyncJob.id, jobId));
      const isCancel = job?.jobCmd === 'cancelStorageMaintenance';
      const result = isCancel ? { virtualmachines: virtualMachines } : {};
      const isDone = await completeJob(tx, jobId, { status: 'succeeded', resultCode: 0, result });
      if (isDone && isCancel) await tx.delete(storagePoolWork).where(eq(storagePoolWork.poolId, poolId));
    });

export interface RecordPoolJobFailedInput extends PoolJobInput {
  failure: Failure;
  isCancelled: boolean;
}

/** The job has ended with the reason. What could not be brought into maintenance shows it. */
export const recordPoolJobFailed =
  ({ db }: ControlDependencies) =>
  async ({ poolId, jobId, failure, isCancelled }: RecordPoolJobFailedInput): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await completeJob(tx, jobId, failedOutcome(failure, isCancelled)))) return;
      const [job] = await tx.select().from(asyncJob).where(eq(asyncJob.id, jobId));
      const isCancel = job!.jobCmd === 'cancelStorageMaintenance';
      if (!isCancel) {
        await tx
          .update(storagePool)
          .set({ status: 'ErrorInMaintenance' })
          .where(and(eq(storagePool.id, poolId), eq(storagePool.status, 'PrepareForMaintenance')));
      }
      const type = isCancel ? 'MAINT.CANCEL.PS' : 'MAINT.PREPARE.PS';
      await recordPoolEvent(tx, job!, poolId, { type, level: 'ERROR', description: failure.message });
    });
