import { and, eq, isNull } from 'drizzle-orm';
import { startJob } from '../../../client/start-job.js';
import { findRunningJob, type JobRow } from '../../../db/jobs.js';
import { account, storagePool, storagePoolWork, vmInstance } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { PoolJobInput, PoolVirtualMachine } from '../../../shared/pools.js';
import { vmWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { runningJob } from '../running-job.js';
import { createVmJob } from '../virtual-machine/create-vm-job.js';
import { lockPoolOfJob, recordPoolEvent } from './lock-pool.js';

/**
 * The pool takes work again.
 *
 * @returns false when the job has ended: somebody started this workflow once too often
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is not in maintenance
 */
export const endPoolMaintenance =
  ({ db }: ControlDependencies) =>
  async (input: PoolJobInput): Promise<boolean> =>
    db.transaction(async (tx) => {
      const locked = await lockPoolOfJob(tx, input);
      if (!locked) return false;
      const { self, job } = locked;
      const { id, name, status } = self;
      // The try before this one did it, and could not say so.
      if (status === 'Up') return true;
      if (status !== 'Maintenance' && status !== 'ErrorInMaintenance') {
        throw new SlipwayError(
          'SLIPWAY_RESOURCE_STATE',
          `Primary storage ${name} is not in maintenance: it is ${status}`,
        );
      }
      await tx.update(storagePool).set({ status: 'Up' }).where(eq(storagePool.id, id));
      const description = `Pool ${name} takes disks and templates again, and what was stopped is started`;
      await recordPoolEvent(tx, job, id, { type: 'MAINT.CANCEL.PS', level: 'INFO', description });
      return true;
    });

export interface ResumedPool {
  /** VMs that are being started, or that another operation works on. */
  pending: PoolVirtualMachine[];
  /** VMs whose start has failed, as their jobs say, and those of disabled accounts. */
  notStarted: PoolVirtualMachine[];
}

/** Starts what the maintenance has stopped, each VM once by a job of its own, and says what is not settled. */
export const startOnPool =
  (dependencies: ControlDependencies) =>
  async (input: PoolJobInput): Promise<ResumedPool> => {
    const starts: JobRow[] = [];
    const resumed = await dependencies.db.transaction(async (tx): Promise<ResumedPool> => {
      const job = await runningJob(tx, input.jobId);
      const found: ResumedPool = { pending: [], notStarted: [] };
      if (!job) return found;
      const rows = await tx
        .select({ vm: vmInstance, startJobId: storagePoolWork.startJobId, accountState: account.state })
        .from(storagePoolWork)
        .innerJoin(vmInstance, eq(vmInstance.id, storagePoolWork.vmId))
        .innerJoin(account, eq(account.id, vmInstance.accountId))
        .where(eq(storagePoolWork.poolId, input.poolId))
        .orderBy(vmInstance.name)
        // Whoever disables one waits, and finds the job that is made here.
        .for('share', { of: account });
      for (const { vm, startJobId, accountState } of rows) {
        const mayStart = startJobId === null && accountState !== 'disabled';
        const shown = { id: vm.id, name: vm.name, state: vm.state };
        if (await findRunningJob(tx, vmWorkflowId(vm.id))) found.pending.push(shown);
        else if (vm.state === 'Stopped' && !mayStart) found.notStarted.push(shown);
        else if (vm.state === 'Stopped') {
          const start = await startOnce(tx, job, input.poolId, vm.id);
          if (start) starts.push(start);
          found.pending.push(shown);
        }
      }
      return found;
    });
    // What cannot be started now is started by the sweeper.
    await Promise.all(starts.map((start) => startJob(dependencies, start)));
    return resumed;
  };

async function startOnce(tx: Transaction, job: JobRow, poolId: string, vmId: string): Promise<JobRow | undefined> {
  const start = await createVmJob(tx, {
    vmId,
    accountId: job.accountId,
    userId: job.userId,
    jobCmd: 'startVirtualMachine',
    input: {},
  });
  // Without one somebody has begun another operation on the VM a moment ago.
  if (!start) return undefined;
  await tx
    .update(storagePoolWork)
    .set({ startJobId: start.id })
    .where(and(eq(storagePoolWork.poolId, poolId), eq(storagePoolWork.vmId, vmId), isNull(storagePoolWork.startJobId)));
  return start;
}
