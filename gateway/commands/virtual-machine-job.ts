import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { lockVirtualMachine, type VirtualMachineRow } from '../../db/lock-virtual-machine.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { earlierJob, jobOfCall } from './async-jobs.js';
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
  /** Of the workflow, beside the ids of VM and job. */
  input: Record<string, unknown>;
  /**
   * Looks at the VM under the lock of its row: nothing changes it before the job is there.
   *
   * @throws SlipwayError when the VM is in no state for it
   */
  check?: (vm: VirtualMachineRow) => void;
}

/**
 * Inserts the job of an operation on a VM and starts its workflow.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another operation is working on the VM
 */
export async function startVirtualMachineJob(
  { jobCmd, workflowType = jobCmd, id, idParameter = 'id', customjobid, input, check }: VirtualMachineCall,
  context: CommandContext,
): Promise<{ jobid: string }> {
  const { db, caller } = context;
  // Before the VM is looked up: the call that expunged it may be repeated when it is gone.
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  const vm = await findOwnVirtualMachine(db, caller, id);
  if (!vm) throw noSuchEntity(context.command, idParameter, id);
  const jobId = customjobid ?? randomUUID();
  const created = await db.transaction(async (tx) => {
    const row = await lockVirtualMachine(tx, vm.id);
    const made = await createJob(tx, {
      id: jobId,
      accountId: caller.accountId,
      userId: caller.userId,
      jobCmd,
      workflowType,
      workflowId: vmWorkflowId(vm.id),
      workflowInput: { ...input, vmId: vm.id, jobId },
      instanceType: 'VirtualMachine',
      instanceId: vm.id,
    });
    // After that: a VM that is busy is in some state between two others, and what matters is that it is busy.
    check?.(row);
    return made;
  });
  // Two calls with one `customjobid` may have come at once.
  const job = jobOfCall(created, { jobCmd, accountId: caller.accountId, instanceId: vm.id });
  // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
  void context.startJob(job);
  return { jobid: job.id };
}
