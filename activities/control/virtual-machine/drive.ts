import { eq } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { vmInstance, vmTemplate } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';
import type { StageRequest } from '../../../shared/templates.js';
import type { AttachIsoInput, Placement, VirtualMachineJobInput } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { isoFileOf } from './domain-spec.js';
import { SUCCEEDED } from '../job-outcomes.js';
import { lockVm, recordVmEvent, runningPlacement, wrongState } from './vm-operation.js';
import { hostOfPool, rootVolumeOf, rowOfDiskToMake, templateFor } from './what-a-vm-needs.js';

/**
 * Where the ISO is to come to: the pool of the root disk. Nothing changes for the VM; the ISO is in its drive once its
 * copy is there. A VM that has no disk yet has no pool either: the ISO is attached at once, and comes to a pool when the
 * VM is started.
 *
 * @returns null when the job has ended
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM or the ISO is in no state for it
 */
export const beginAttachIso =
  ({ db }: ControlDependencies) =>
  async (input: AttachIsoInput): Promise<Omit<StageRequest, 'workflowId' | 'use'> | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, input);
      if (!vm) return null;
      requireAttachable(vm);
      if (vm.isoId !== null && vm.isoId !== input.isoId) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Another ISO is attached to VM ${vm.name}: detach it first`);
      }
      const iso = await templateFor(tx, vm, input.isoId);
      if (isDiskFormat(iso.format)) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `${iso.name} is not an ISO`);
      if (await rowOfDiskToMake(tx, vm)) {
        await tx.update(vmInstance).set({ isoId: iso.id }).where(eq(vmInstance.id, vm.id));
        await endAttach(tx, vm, iso.name, input.jobId);
        return null;
      }
      const { poolId } = await rootVolumeOf(tx, vm);
      return {
        ...(await hostOfPool(tx, poolId, vm.hostId ?? vm.lastHostId)),
        accountId: vm.accountId,
        poolId,
        templateId: iso.id,
        templateName: iso.name,
        generation: iso.generation,
      };
    });

/** What the database says that is in the drive of a VM, and where a domain has that drive. */
export interface Drive {
  /** Null when the drive is empty. */
  isoId: string | null;
  /** Its file on the pool. */
  file: string | null;
  /** Of the domain, when the VM runs: a stopped one finds the ISO when it starts. */
  placement: Placement | null;
}

/**
 * @returns null when the job has ended
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM is neither Running nor Stopped
 */
export const readDrive =
  ({ db }: ControlDependencies) =>
  async (input: VirtualMachineJobInput): Promise<Drive | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, input);
      if (!vm) return null;
      requireAttachable(vm);
      return {
        isoId: vm.isoId,
        file: await isoFileOf(tx, vm),
        placement: vm.state === 'Running' ? await runningPlacement(tx, vm) : null,
      };
    });

function requireAttachable(vm: typeof vmInstance.$inferSelect): void {
  if (vm.state !== 'Running' && vm.state !== 'Stopped') throw wrongState(vm, 'Running or Stopped');
}

/** The ISO has been in the row since its copy came to the pool. */
export const recordIsoAttached =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: VirtualMachineJobInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [row] = await tx
        .select({ vm: vmInstance, isoName: vmTemplate.name })
        .from(vmInstance)
        .innerJoin(vmTemplate, eq(vmTemplate.id, vmInstance.isoId))
        .where(eq(vmInstance.id, vmId));
      if (row) await endAttach(tx, row.vm, row.isoName, jobId);
      else await completeJob(tx, jobId, SUCCEEDED);
    });

async function endAttach(
  tx: Transaction,
  vm: typeof vmInstance.$inferSelect,
  isoName: string,
  jobId: string,
): Promise<void> {
  if (!(await completeJob(tx, jobId, SUCCEEDED))) return;
  await recordVmEvent(tx, vm, 'ISO.ATTACH', 'INFO', `ISO ${isoName} was attached to VM ${vm.name}`, jobId);
}

/** Nothing is in the drive: from here on the copy may be evicted. The job goes on. */
export const emptyDrive =
  ({ db }: ControlDependencies) =>
  async (input: VirtualMachineJobInput): Promise<void> =>
    db.transaction(async (tx) => {
      if (await lockVm(tx, input)) await clear(tx, input.vmId);
    });

export const recordIsoDetached =
  ({ db }: ControlDependencies) =>
  async (input: VirtualMachineJobInput): Promise<void> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, input);
      if (!vm) return;
      await clear(tx, vm.id);
      await completeJob(tx, input.jobId, SUCCEEDED);
      await recordVmEvent(tx, vm, 'ISO.DETACH', 'INFO', `The ISO was detached from VM ${vm.name}`, input.jobId);
    });

const clear = (tx: Transaction, vmId: string): Promise<unknown> =>
  tx.update(vmInstance).set({ isoId: null, isoSpoolRefId: null }).where(eq(vmInstance.id, vmId));
