import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { findOwnVirtualMachine } from '../../db/reads/find-deployment-parts.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { earlierJob, jobOfCall } from './async-jobs.js';
import type { CommandContext } from './define-command.js';

export interface VirtualMachineCall {
  /** The command, which is the workflow's type too. */
  jobCmd: string;
  id: string;
  customjobid: string | undefined;
  /** Of the workflow, beside the ids of VM and job. */
  input: Record<string, unknown>;
}

/**
 * Inserts the job of an operation on a VM and starts its workflow.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another operation is working on the VM
 */
export async function startVirtualMachineJob(
  { jobCmd, id, customjobid, input }: VirtualMachineCall,
  context: CommandContext,
): Promise<{ jobid: string }> {
  const { db, caller } = context;
  // Before the VM is looked up: the call that expunged it may be repeated when it is gone.
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  const vm = await findOwnVirtualMachine(db, caller, id);
  if (!vm) throw noSuchEntity(context.command, 'id', id);
  const jobId = customjobid ?? randomUUID();
  const created = await createJob(db, {
    id: jobId,
    accountId: caller.accountId,
    userId: caller.userId,
    jobCmd,
    workflowType: jobCmd,
    workflowId: vmWorkflowId(vm.id),
    workflowInput: { ...input, vmId: vm.id, jobId },
    instanceType: 'VirtualMachine',
    instanceId: vm.id,
  });
  // Two calls with one `customjobid` may have come at once.
  const job = jobOfCall(created, { jobCmd, accountId: caller.accountId, instanceId: vm.id });
  // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
  void context.startJob(job);
  return { jobid: job.id };
}
