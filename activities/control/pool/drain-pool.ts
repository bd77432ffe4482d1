import { and, eq } from 'drizzle-orm';
import { startJob } from '../../../client/start-job.js';
import type { JobRow } from '../../../db/jobs.js';
import { storagePool, storagePoolWork } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { PoolJobInput, PoolVirtualMachine } from '../../../shared/pools.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { runningJob } from '../running-job.js';
import { createStopJob, jobsOf, TRIES_TO_STOP } from '../virtual-machine/stop-jobs.js';
import { lockPoolOfJob, recordPoolEvent } from './lock-pool.js';
import { computingFrom, movingTemplates, workedOnFrom } from './on-pool.js';

/**
 * The pool takes no new work from now on, and nothing starts from it.
 *
 * @returns false when the job has ended: somebody started this workflow once too often
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is Disabled, or was removed
 */
export const beginPoolMaintenance =
  ({ db }: ControlDependencies) =>
  async (input: PoolJobInput): Promise<boolean> =>
    db.transaction(async (tx) => {
      const locked = await lockPoolOfJob(tx, input);
      if (!locked) return false;
      const { self, job } = locked;
      const { id, name, status } = self;
      if (status === 'Maintenance' || status === 'PrepareForMaintenance') return true;
      if (status !== 'Up' && status !== 'ErrorInMaintenance') throw notReady(name, status);
      // Of a maintenance long ago that was ended before all of them ran again: since then they are their owners' matter.
      if (status === 'Up') await tx.delete(storagePoolWork).where(eq(storagePoolWork.poolId, id));
      await tx.update(storagePool).set({ status: 'PrepareForMaintenance' }).where(eq(storagePool.id, id));
      const description = `Pool ${name} takes no new disks and templates, and what runs from it is stopped`;
      await recordPoolEvent(tx, job, id, { type: 'MAINT.PREPARE.PS', level: 'INFO', description });
      return true;
    });

const notReady = (name: string, status: string): SlipwayError =>
  new SlipwayError('SLIPWAY_RESOURCE_STATE', `Primary storage ${name} is not ready for maintenance: it is ${status}`);

export interface DrainedPool {
  /** `stuck` when what is left could not be stopped. */
  outcome: 'maintenance' | 'draining' | 'stuck';
  poolName: string;
  /** VMs that may still run from it, or that an operation works on. */
  virtualMachines: PoolVirtualMachine[];
  /** Names of templates that are on their way to it. */
  templates: string[];
}

/**
 * Stops what runs from the pool, each VM by a job of its own, and says what is left. When nothing is, the pool is in
 * Maintenance.
 */
export const drainPool =
  (dependencies: ControlDependencies) =>
  async (input: PoolJobInput): Promise<DrainedPool> => {
    const stops: JobRow[] = [];
    const drained = await dependencies.db.transaction(async (tx): Promise<DrainedPool> => {
      const job = await runningJob(tx, input.jobId);
      // Not locked: who works on a VM has its row, and waits for the pool's.
      const [self] = await tx.select().from(storagePool).where(eq(storagePool.id, input.poolId));
      if (!job || !self) return { outcome: 'maintenance', poolName: '', virtualMachines: [], templates: [] };
      const [running, workedOn] = [await computingFrom(tx, self.id), await workedOnFrom(tx, self.id)];
      const templates = (await movingTemplates(tx, self.id)).map(({ name }) => name);
      const isBusy = (vm: PoolVirtualMachine): boolean => workedOn.some(({ id }) => id === vm.id);
      const idle = running.filter((vm) => !isBusy(vm));
      let isWaiting = workedOn.length > 0 || templates.length > 0;
      for (const vm of idle) {
        const { isBegun, stop } = await stopOnce(tx, job, self.id, vm);
        if (isBegun) isWaiting = true;
        if (stop) stops.push(stop);
      }
      const left = { poolName: self.name, virtualMachines: [...workedOn, ...idle], templates };
      if (isWaiting) return { outcome: 'draining', ...left };
      if (idle.length > 0) return { outcome: 'stuck', ...left };
      const isPrepared = and(eq(storagePool.id, self.id), eq(storagePool.status, 'PrepareForMaintenance'));
      const changed = await tx.update(storagePool).set({ status: 'Maintenance' }).where(isPrepared).returning();
      if (changed.length > 0) {
        const description = `Pool ${self.name} is in maintenance: nothing runs from it, and nothing is written to it`;
        await recordPoolEvent(tx, job, self.id, { type: 'MAINT.PREPARE.PS', level: 'INFO', description });
      }
      return { outcome: 'maintenance', ...left };
    });
    // What cannot be started now is started by the sweeper.
    await Promise.all(stops.map((stop) => startJob(dependencies, stop)));
    return drained;
  };

/** @returns whether the VM is being stopped, and by which new job */
async function stopOnce(
  tx: Transaction,
  job: JobRow,
  poolId: string,
  vm: PoolVirtualMachine,
): Promise<{ isBegun: boolean; stop?: JobRow }> {
  const { stops } = await jobsOf(tx, vm.id, job.created);
  if (vm.state !== 'Running' || stops >= TRIES_TO_STOP) return { isBegun: false };
  const stop = await createStopJob(tx, vm.id, job, stops);
  // Without one somebody has begun another operation on the VM a moment ago.
  if (stop) await tx.insert(storagePoolWork).values({ poolId, vmId: vm.id }).onConflictDoNothing();
  return { isBegun: true, stop };
}
