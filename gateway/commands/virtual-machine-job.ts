import { holdAccountToRun } from '../../db/hold-account.js';
import { requireIdle } from '../../db/jobs.js';
import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { findJob } from '../../db/reads/find-job.js';
import { lockVirtualMachine, type VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import { takeForFirstStart } from '../../db/take-for-first-start.js';
import { SlipwayError } from '../../shared/errors.js';
import type { DeployVirtualMachineInput } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { begin, earlierJob, insertJob } from './async-jobs.js';
import type { CommandContext } from './define-command.js';

export interface VirtualMachineCall {
  /** The command. */
  jobCmd: string;
  /** The command's name when absent. */
  workflowType?: string;
  id: string;
  /** The parameter that `id` came in. */
  idParameter?: string;
  customjobid: string | undefined;
  /**
   * Of the workflow, beside the ids of VM and job. A function looks at the VM under the lock of its row: nothing changes it
   * before the job is there. It throws a SlipwayError when the VM is in no state for the operation.
   */
  input: object | ((vm: VirtualMachineRow) => object);
  /**
   * For a start. A Stopped VM that has no disk yet is deployed, by a workflow with this input: it is Starting as soon as the
   * job is there.
   */
  firstStart?: (vm: VirtualMachineRow) => Omit<DeployVirtualMachineInput, 'vmId' | 'jobId'>;
}

/** @throws SlipwayError SLIPWAY_RESOURCE_STATE in CloudStack's words */
export function requireRunningOrStopped({ state }: VirtualMachineRow): void {
  if (state === 'Running' || state === 'Stopped') return;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', 'Please specify a VM that is either Stopped or Running.');
}

/**
 * The caller's VM, for what has to be looked up before its job is made.
 *
 * @returns undefined when the call was made before: it is answered whatever has become of the VM
 */
export async function ownVirtualMachine(
  { id, idParameter, customjobid }: Pick<VirtualMachineCall, 'id' | 'customjobid'> & { idParameter: string },
  { db, caller, command }: CommandContext,
): Promise<{ zoneId: string } | undefined> {
  if (customjobid !== undefined && (await findJob(db, caller, customjobid))) return undefined;
  const vm = await findOwnVirtualMachine(db, caller, id);
  if (!vm) throw noSuchEntity(command, idParameter, id);
  return vm;
}

/**
 * Inserts the job of an operation on a VM and starts its workflow.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another operation is working on the VM; SLIPWAY_PERMISSION_DENIED when it
 *   is to be started and its account was disabled
 */
export async function startVirtualMachineJob(
  { jobCmd, workflowType = jobCmd, id, idParameter = 'id', customjobid, input, firstStart }: VirtualMachineCall,
  context: CommandContext,
): Promise<{ jobid: string }> {
  const { db, caller } = context;
  // Before the VM is looked up: the call that expunged it may be repeated when it is gone.
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  const vm = await findOwnVirtualMachine(db, caller, id);
  if (!vm) throw noSuchEntity(context.command, idParameter, id);
  const job = await db.transaction(async (tx) => {
    const row = await lockVirtualMachine(tx, vm.id);
    // Before its state is looked at: one that is busy is between two states, and what matters is that it is busy.
    if (typeof input === 'function') await requireIdle(tx, vm.id, customjobid);
    if (firstStart) await holdAccountToRun(tx, row.accountId);
    const isFirstStart = firstStart !== undefined && (await takeForFirstStart(tx, vm.id));
    const operation = isFirstStart
      ? { workflowType: 'startNewVirtualMachine', input: firstStart(row) }
      : { workflowType, input: typeof input === 'function' ? input(row) : input };
    return insertJob(tx, context, {
      jobCmd,
      customjobid,
      workflowType: operation.workflowType,
      workflowId: vmWorkflowId(vm.id),
      input: { ...operation.input, vmId: vm.id },
      instanceType: 'VirtualMachine',
      instanceId: vm.id,
    });
  });
  return begin(job, context);
}
