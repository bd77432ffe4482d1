import { and, eq, isNull } from 'drizzle-orm';
import { asyncJob, vmInstance, volumes } from '../../../db/schema/index.js';
import { type Placement, TOKENS_PER_TRY, type VirtualMachineJobInput } from '../../../shared/virtual-machines.js';
import type { ControlDependencies } from '../dependencies.js';
import { lockVm, placementsOf } from './vm-operation.js';

/** What a deployment whose workflow is gone has left on hosts. */
interface LostDeployment {
  operation?: undefined;
  placements: Placement[];
  templateId: string;
  /** In its drive, where that is not its template. */
  isoId?: string;
  /** It was there before, and is Stopped again. */
  isStart: boolean;
}

/** Where the domain of a VM may be whose start, stop or reboot is gone. */
interface LostOperation {
  operation: 'START' | 'STOP' | 'REBOOT';
  placement: Placement | null;
}

/** Each is undone as by itself when it fails. */
interface LostChange {
  operation: 'RESTORE' | 'ISO.ATTACH' | 'ISO.DETACH';
  /** Of the job. */
  input: Record<string, unknown>;
  /** Of the root disk. */
  poolId: string | null;
}

export type BegunRepair = LostDeployment | LostOperation | LostChange;

const CHANGES: Partial<Record<string, LostChange['operation']>> = {
  restoreVirtualMachine: 'RESTORE',
  attachIso: 'ISO.ATTACH',
  detachIso: 'ISO.DETACH',
};

const OPERATIONS: Partial<Record<string, LostOperation['operation']>> = {
  startVirtualMachine: 'START',
  stopVirtualMachine: 'STOP',
  rebootVirtualMachine: 'REBOOT',
};

/** Workflows that are not begun again when they are gone, for somebody ended them: `beginRepair` undoes what they did. */
export const REPAIRED_WORKFLOWS = [
  'deployVirtualMachine',
  'startNewVirtualMachine',
  ...Object.keys(CHANGES),
  ...Object.keys(OPERATIONS),
];

/** @returns null when the job has ended, or a deployment has nothing left to undo */
export const beginRepair =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: VirtualMachineJobInput): Promise<BegunRepair | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return null;
      const [job] = await tx.select().from(asyncJob).where(eq(asyncJob.id, jobId));
      const change = CHANGES[job!.workflowType];
      if (change) {
        const [disk] = await tx
          .select({ poolId: volumes.poolId })
          .from(volumes)
          .where(and(eq(volumes.instanceId, vmId), eq(volumes.volumeType, 'ROOT'), isNull(volumes.removed)));
        return { operation: change, input: job!.workflowInput, poolId: disk?.poolId ?? null };
      }
      const operation = OPERATIONS[job!.workflowType];
      if (operation) {
        const isBetween = vm.state === 'Starting' || vm.state === 'Stopping';
        const held = isBetween ? await placementsOf(tx, vmId, { isComputing: true }) : [];
        return { operation, placement: held.find(({ token }) => token === vm.fenceToken) ?? null };
      }
      if (vm.state !== 'Starting') return null;
      await tx
        .update(vmInstance)
        .set({ fenceToken: vm.fenceToken + TOKENS_PER_TRY })
        .where(eq(vmInstance.id, vmId));
      const { templateId, isoId } = vm;
      return {
        placements: await placementsOf(tx, vmId),
        templateId,
        ...(isoId !== null && isoId !== templateId ? { isoId } : {}),
        isStart: job!.workflowType === 'startNewVirtualMachine',
      };
    });
