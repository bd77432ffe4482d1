import { and, eq, inArray } from 'drizzle-orm';
import { columnsOf } from '../../../db/columns-of.js';
import { completeJob } from '../../../db/jobs.js';
import { vmInstance } from '../../../db/schema/index.js';
import { readSettings } from '../../../db/settings.js';
import { SlipwayError } from '../../../shared/errors.js';
import type {
  Placement,
  RebootVirtualMachineInput,
  RunningPlacement,
  StepOfOperation,
  StopVirtualMachineInput,
  VirtualMachineJobInput,
} from '../../../shared/virtual-machines.js';
import { ignored, isRevoked } from '../host/is-revoked.js';
import { releaseCompute } from './capacity.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { SUCCEEDED } from '../job-outcomes.js';
import { runningJob } from '../running-job.js';
import { lockVm, recordVmEvent, runningPlacement, wrongState } from './vm-operation.js';

export interface RecordStartedInput extends VirtualMachineJobInput, StepOfOperation {
  placement: Placement;
}

/** Running, and the job done, in one transaction; only for the start that holds the VM's current token. */
export const recordStarted =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, isStep, placement: { hostId, hostName, token } }: RecordStartedInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [vm] = await tx
        .update(vmInstance)
        .set({ state: 'Running', hostId, lastHostId: hostId })
        .where(
          and(
            eq(vmInstance.id, vmId),
            inArray(vmInstance.state, ['Starting', 'Running']),
            eq(vmInstance.fenceToken, token),
          ),
        )
        .returning({ ...columnsOf(vmInstance, 'id', 'name', 'accountId'), isHostRevoked: isRevoked(tx, hostId) });
      if (!vm || vm.isHostRevoked) {
        // Recorded before, and the answer was lost: the VM may be anything by now.
        if (!(await runningJob(tx, jobId))) return;
        if (vm) throw ignored(hostName);
        throw new SlipwayError('SLIPWAY_FENCED', `Another operation has taken over VM ${vmId}`);
      }
      if (isStep || !(await completeJob(tx, jobId, SUCCEEDED))) return;
      const ownerDescription = `VM ${vm.name} is running`;
      const description = `${ownerDescription} on host ${hostName}`;
      await recordVmEvent(tx, vm, 'START', 'INFO', { description, ownerDescription }, jobId);
    });

/**
 * Stopping. Its token stays: when the stop fails, the domain that runs on must still be known as the VM's.
 *
 * @returns null when there is nothing to do: the VM is Stopped, or the job has ended
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM is not Running
 */
export const beginStop =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, isStep }: StopVirtualMachineInput & StepOfOperation): Promise<RunningPlacement | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return null;
      if (vm.state === 'Stopped') {
        if (!isStep) await completeJob(tx, jobId, SUCCEEDED);
        return null;
      }
      if (vm.state !== 'Running' && vm.state !== 'Stopping') throw wrongState(vm, 'Running');
      const placement = await runningPlacement(tx, vm);
      await tx.update(vmInstance).set({ state: 'Stopping' }).where(eq(vmInstance.id, vmId));
      return { ...placement, timeoutMs: await guestTimeoutMs(tx) };
    });

export interface RecordStoppedInput extends VirtualMachineJobInput, StepOfOperation {
  placement: Placement;
  /** Its host has not answered and owes the stop: until then CPU and memory stay claimed. */
  isOwed: boolean;
}

/**
 * Stopped, CPU and memory given back, and the job done, in one transaction.
 *
 * @throws SlipwayError SLIPWAY_HOST_REVOKED: it may run on, whatever was answered
 */
export const recordStopped =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, isStep, placement: { hostId, token, hostName }, isOwed }: RecordStoppedInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [vm] = await tx
        .update(vmInstance)
        .set({ state: 'Stopped', hostId: null })
        .where(and(eq(vmInstance.id, vmId), eq(vmInstance.state, 'Stopping'), eq(vmInstance.fenceToken, token)))
        .returning({ ...columnsOf(vmInstance, 'id', 'name', 'accountId'), isHostRevoked: isRevoked(tx, hostId) });
      if (vm?.isHostRevoked && !isOwed) throw ignored(hostName);
      if (vm && !isOwed) await releaseCompute(tx, vmId, token);
      if (isStep || !(await completeJob(tx, jobId, SUCCEEDED)) || !vm) return;
      const told = isOwed
        ? {
            description: `VM ${vm.name} is taken for stopped: host ${hostName} has not answered and owes it`,
            ownerDescription: `VM ${vm.name} is taken for stopped: its host has not answered`,
          }
        : `VM ${vm.name} is stopped`;
      await recordVmEvent(tx, vm, 'STOP', isOwed ? 'WARN' : 'INFO', told, jobId);
    });

/**
 * @returns null when the job has ended
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM is not Running
 */
export const beginReboot =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: RebootVirtualMachineInput): Promise<RunningPlacement | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return null;
      if (vm.state !== 'Running') throw wrongState(vm, 'Running');
      return { ...(await runningPlacement(tx, vm)), timeoutMs: await guestTimeoutMs(tx) };
    });

/** The VM has been Running all the time. */
export const recordRebooted =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId }: VirtualMachineJobInput): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await completeJob(tx, jobId, SUCCEEDED))) return;
      const [vm] = await tx.select().from(vmInstance).where(eq(vmInstance.id, vmId));
      if (vm) await recordVmEvent(tx, vm, 'REBOOT', 'INFO', `VM ${vm.name} was rebooted`, jobId);
    });

const guestTimeoutMs = async (tx: Transaction): Promise<number> =>
  Number((await readSettings(tx))['stop.script.timeout']) * 1000;
