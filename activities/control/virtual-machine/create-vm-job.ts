import { createJob, type JobRow, type NewJob } from '../../../db/jobs.js';
import { isSlipwayError } from '../../../shared/errors.js';
import { vmWorkflowId } from '../../../shared/workflow-ids.js';
import type { Transaction } from '../dependencies.js';

export interface NewVmJob extends Pick<NewJob, 'accountId' | 'userId' | 'jobCmd'> {
  vmId: string;
  /** That of the command when absent. */
  workflowType?: string;
  /** Of the workflow, beside the ids of VM and job. */
  input: Record<string, unknown>;
}

/**
 * A job that nobody asked for by the API; the caller starts it once the transaction is through.
 *
 * @returns undefined when somebody has begun another operation on the VM a moment ago
 */
export async function createVmJob(tx: Transaction, { vmId, input, ...job }: NewVmJob): Promise<JobRow | undefined> {
  const id = crypto.randomUUID();
  const row: NewJob = {
    workflowType: job.jobCmd,
    ...job,
    id,
    workflowId: vmWorkflowId(vmId),
    workflowInput: { ...input, vmId, jobId: id },
    instanceType: 'VirtualMachine',
    instanceId: vmId,
  };
  try {
    return await tx.transaction((savepoint) => createJob(savepoint, row));
  } catch (error) {
    if (isSlipwayError(error) && error.code === 'SLIPWAY_RESOURCE_BUSY') return undefined;
    throw error;
  }
}
