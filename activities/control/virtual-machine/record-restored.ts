import { and, eq, isNotNull } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { cleanupDebt, vmInstance, vmTemplate, volumes } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import { isDiskFormat } from '../../../shared/images.js';
import type { Placement, VirtualMachineJobInput } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { SUCCEEDED } from '../job-outcomes.js';
import type { LeaveStageInput } from '../template/leave-stage.js';
import { swapDisks } from './swap-disks.js';
import { lockVm, placementsOf, recordVmEvent } from './vm-operation.js';
import { rootVolumeOf } from './what-a-vm-needs.js';

type Vm = typeof vmInstance.$inferSelect;

export interface RecordNewDiskInput extends VirtualMachineJobInput {
  /** Of the try that made it. */
  token: number;
  volume: { fileName: string; virtualSizeBytes: number };
}

/**
 * The new disk is the VM's, and the old one is kept until the operation has succeeded. Only for the try that holds the
 * VM's current token.
 *
 * @throws SlipwayError SLIPWAY_FENCED
 */
export const recordNewDisk =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, token, volume }: RecordNewDiskInput): Promise<void> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      const fresh = vm && (await newDiskOf(tx, { vmId, jobId }));
      if (!vm || !fresh || vm.state !== 'Stopped' || vm.fenceToken !== token) {
        throw new SlipwayError('SLIPWAY_FENCED', `Another operation has taken over VM ${vmId}`);
      }
      // Done before, and the answer was lost.
      if (fresh.volume.removed === null) return;
      await swapDisks(tx, await rootVolumeOf(tx, vm), fresh.volume);
      // What a blank disk is installed from goes to the drive, which refers to its copy from here on.
      const isIso = !isDiskFormat(fresh.format);
      const { templateId, templateSpoolRefId } = fresh.volume;
      await tx
        .update(volumes)
        .set({
          state: 'Ready',
          path: volume.fileName,
          sizeBytes: volume.virtualSizeBytes,
          ...(isIso ? { templateSpoolRefId: null } : {}),
        })
        .where(eq(volumes.id, fresh.volume.id));
      await tx
        .update(vmInstance)
        .set({
          templateId: templateId ?? undefined,
          ...(isIso ? { isoId: templateId, isoSpoolRefId: templateSpoolRefId } : {}),
        })
        .where(eq(vmInstance.id, vmId));
    });

/** The job has succeeded. The old disk is nobody's from here on, and is removed. */
export const recordRestored =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: VirtualMachineJobInput): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await completeJob(tx, jobId, SUCCEEDED))) return;
      const [row] = await tx
        .select({ vm: vmInstance, templateName: vmTemplate.name })
        .from(vmInstance)
        .innerJoin(vmTemplate, eq(vmTemplate.id, vmInstance.templateId))
        .where(eq(vmInstance.id, vmId));
      if (!row) return;
      const description = `VM ${row.vm.name} has a new root disk of template ${row.templateName}`;
      await recordVmEvent(tx, row.vm, 'RESTORE', 'INFO', description, jobId);
    });

export interface UnfinishedRestore {
  /** A stage that it may wait for. */
  stage: Omit<LeaveStageInput, 'workflowId'> | null;
  /** Where its domain may be: it is between two states. */
  between: { state: 'Starting' | 'Stopping'; placement: Placement | null } | null;
}

/** What a restore that failed, or whose workflow is gone, has left. @returns null when the job has ended */
export const beginUndoRestore =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: VirtualMachineJobInput): Promise<UnfinishedRestore | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return null;
      const fresh = await newDiskOf(tx, { vmId, jobId });
      const { poolId, templateId } = fresh?.volume ?? {};
      return {
        stage: poolId && templateId ? { poolId, templateId } : null,
        between: await betweenStates(tx, vm),
      };
    });

async function betweenStates(tx: Transaction, vm: Vm): Promise<UnfinishedRestore['between']> {
  if (vm.state !== 'Starting' && vm.state !== 'Stopping') return null;
  const held = await placementsOf(tx, vm.id, { isComputing: true });
  const placement = held.find(({ token }) => token === vm.fenceToken) ?? null;
  // The stop of it is owed already, and its host has been asked long enough.
  const isOwed = placement && (await owes(tx, placement));
  return { state: vm.state, placement: isOwed ? null : placement };
}

async function owes(tx: Transaction, { vmId, token }: Placement): Promise<boolean> {
  const debts = await tx
    .select()
    .from(cleanupDebt)
    .where(and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.token, token)));
  return debts.length > 0;
}

export interface RevertRestoreInput extends VirtualMachineJobInput {
  /** What its host says, of a VM that is between two states. */
  runsOn: string | null;
}

/** The VM has the disk that it had, and is in the state that it really is in. The job goes on. */
export const revertRestore =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, runsOn }: RevertRestoreInput): Promise<{ isStopped: boolean }> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return { isStopped: false };
      const isBetween = vm.state === 'Starting' || vm.state === 'Stopping';
      if (isBetween) {
        await tx
          .update(vmInstance)
          .set({ state: runsOn ? 'Running' : 'Stopped', hostId: runsOn })
          .where(eq(vmInstance.id, vmId));
      }
      const fresh = await newDiskOf(tx, { vmId, jobId });
      const [old] = await tx
        .select()
        .from(volumes)
        .where(
          and(
            eq(volumes.instanceId, vmId),
            eq(volumes.replacedById, jobId),
            isNotNull(volumes.removed),
            // Its file is there: nobody goes back to a disk that is gone.
            eq(volumes.state, 'Ready'),
          ),
        );
      if (fresh?.volume.removed === null && old) {
        await swapDisks(tx, fresh.volume, old);
        const isFreshIso = !isDiskFormat(fresh.format) && fresh.volume.templateId !== old.templateId;
        await tx
          .update(vmInstance)
          .set({
            templateId: old.templateId ?? undefined,
            ...(isFreshIso ? { isoId: null, isoSpoolRefId: null } : {}),
          })
          .where(eq(vmInstance.id, vmId));
      }
      return { isStopped: isBetween ? runsOn === null : vm.state === 'Stopped' };
    });

/** The disk that a restore makes: its id is the job's. */
async function newDiskOf(tx: Transaction, { vmId, jobId }: VirtualMachineJobInput) {
  const [row] = await tx
    .select({ volume: volumes, format: vmTemplate.format })
    .from(volumes)
    .innerJoin(vmTemplate, eq(vmTemplate.id, volumes.templateId))
    .where(and(eq(volumes.id, jobId), eq(volumes.instanceId, vmId)));
  return row;
}
