import { and, eq, isNull } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { nics, vmInstance, volumes } from '../../../db/schema/index.js';
import { type DestroyVirtualMachineInput, type Placement, TOKENS_PER_TRY } from '../../../shared/virtual-machines.js';
import type { ControlDependencies } from '../dependencies.js';
import { SUCCEEDED } from '../job-outcomes.js';
import { lockVm, placementsOf, recordVmEvent } from './vm-operation.js';

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
      const now = new Date().toISOString();
      const [vm] = await tx
        .update(vmInstance)
        .set(
          expunge
            ? { state: 'Expunged', hostId: null, removed: now, isoSpoolRefId: null }
            : { state: 'Destroyed', hostId: null, ended: now },
        )
        .where(and(eq(vmInstance.id, vmId), eq(vmInstance.state, expunge ? 'Expunging' : 'Stopping')))
        .returning();
      if (expunge) {
        await tx
          .update(volumes)
          .set({ state: 'Expunged', removed: now, templateSpoolRefId: null, path: null })
          // One that another took the place of counts for space of its own, and is removed by itself.
          .where(and(eq(volumes.instanceId, vmId), isNull(volumes.removed)));
        // Its addresses may be given to others now, and its networks be deleted.
        await tx
          .update(nics)
          .set({ removed: now })
          .where(and(eq(nics.instanceId, vmId), isNull(nics.removed)));
      }
      await completeJob(tx, jobId, SUCCEEDED);
      if (!vm) return;
      await recordVmEvent(tx, vm, expunge ? 'EXPUNGE' : 'DESTROY', 'INFO', `VM ${vm.name} is ${vm.state}`, jobId);
    });
