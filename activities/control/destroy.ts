import { and, eq, inArray, isNull } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { asyncJob, capacityClaim, host, JOB_STATUS, vmInstance, vmTemplate, volumes } from '../../db/schema/index.js';
import {
  type DestroyVirtualMachineInput,
  type Placement,
  TOKENS_PER_TRY,
  type VirtualMachineJobInput,
} from '../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { recordEvent } from './record-event.js';

export interface BegunDestroy {
  /** Everything that any try of this VM still holds on a host. */
  placements: Placement[];
}

/** @returns null when the job has ended or the VM is expunged already: somebody started this workflow once too often */
export const beginDestroy =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, expunge }: DestroyVirtualMachineInput): Promise<BegunDestroy | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, vmId, jobId);
      if (!vm || vm.state === 'Expunged') return null;
      await tx
        .update(vmInstance)
        .set({ state: expunge ? 'Expunging' : 'Stopping', fenceToken: vm.fenceToken + TOKENS_PER_TRY })
        .where(eq(vmInstance.id, vmId));
      return { placements: await placements(tx, vmId) };
    });

export interface BegunRepair extends BegunDestroy {
  templateId: string;
  generation: number;
}

/** What a deployment whose workflow is gone has left on hosts. */
export const beginRepair =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: VirtualMachineJobInput): Promise<BegunRepair | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, vmId, jobId);
      if (vm?.state !== 'Starting') return null;
      await tx
        .update(vmInstance)
        .set({ fenceToken: vm.fenceToken + TOKENS_PER_TRY })
        .where(eq(vmInstance.id, vmId));
      const [template] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, vm.templateId));
      return {
        placements: await placements(tx, vmId),
        templateId: vm.templateId,
        generation: template!.generation,
      };
    });

async function lockVm(tx: Transaction, vmId: string, jobId: string) {
  const [row] = await tx
    .select({ vm: vmInstance, job: asyncJob })
    .from(vmInstance)
    .innerJoin(asyncJob, eq(asyncJob.id, jobId))
    .where(eq(vmInstance.id, vmId))
    .for('update', { of: vmInstance });
  return row?.job.jobStatus === JOB_STATUS.inProgress ? row.vm : undefined;
}

async function placements(tx: Transaction, vmId: string): Promise<Placement[]> {
  return tx
    .select({
      vmId: capacityClaim.vmId,
      hostId: capacityClaim.hostId,
      hostName: host.name,
      poolId: capacityClaim.poolId,
      volumeId: volumes.id,
      token: capacityClaim.token,
    })
    .from(capacityClaim)
    .innerJoin(host, eq(host.id, capacityClaim.hostId))
    .innerJoin(
      volumes,
      and(eq(volumes.instanceId, capacityClaim.vmId), eq(volumes.volumeType, 'ROOT'), isNull(volumes.removed)),
    )
    .where(eq(capacityClaim.vmId, vmId));
}

/** Destroyed (recoverable, its disk stays) or Expunged, and the job done. */
export const recordDestroyed =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, expunge }: DestroyVirtualMachineInput): Promise<void> =>
    db.transaction(async (tx) => {
      const removed = new Date().toISOString();
      const [vm] = await tx
        .update(vmInstance)
        .set(expunge ? { state: 'Expunged', hostId: null, removed } : { state: 'Destroyed', hostId: null })
        .where(
          and(eq(vmInstance.id, vmId), inArray(vmInstance.state, ['Stopping', 'Expunging', 'Destroyed', 'Expunged'])),
        )
        .returning();
      if (expunge) {
        await tx
          .update(volumes)
          .set({ state: 'Expunged', removed, templateSpoolRefId: null, path: null })
          .where(eq(volumes.instanceId, vmId));
      }
      const isFirst = await completeJob(tx, jobId, { status: 'succeeded', resultCode: 0, result: {} });
      if (!vm || !isFirst) return;
      await recordEvent(tx, {
        type: expunge ? 'VM.EXPUNGE' : 'VM.DESTROY',
        level: 'INFO',
        description: `VM ${vm.name} is ${vm.state}`,
        accountId: vm.accountId,
        resourceType: 'VirtualMachine',
        resourceId: vmId,
      });
    });
