import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.js';
import { createJob, type JobRow } from '../../db/jobs.js';
import { findJob } from '../../db/reads/find-job.js';
import { SlipwayError } from '../../shared/errors.js';
import { uuid } from '../protocol/parameters.js';
import type { CommandContext } from './define-command.js';

export const asyncParameters = {
  customjobid: uuid(
    'ID for the job, a UUID of your choice: the same call again gives the same answer and no second job.',
  ),
};

/** What a repeated call has in common with the first. */
interface SameCall {
  jobCmd: string;
  /** Missing for a command that makes its resource. */
  instanceId?: string;
}

/**
 * The job of an earlier call with the same `customjobid`.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the id belongs to another call's job
 */
export async function earlierJob(
  db: Pick<Database, 'select'>,
  { caller }: Pick<CommandContext, 'caller'>,
  { customjobid, ...call }: SameCall & { customjobid: string | undefined },
): Promise<JobRow | undefined> {
  const job = customjobid ? await findJob(db, caller, customjobid) : undefined;
  return job && jobOfCall(job, { ...call, accountId: caller.accountId });
}

/**
 * To answer a call with the job of another would be to say that something is done that nobody does.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
export function jobOfCall(job: JobRow, call: SameCall & { accountId: string }): JobRow {
  const { jobCmd, accountId, instanceId = job.instanceId } = call;
  if (job.jobCmd === jobCmd && job.accountId === accountId && job.instanceId === instanceId) return job;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `The job id ${job.id} is in use; give another customjobid`);
}

/** An operation on something that is there. */
export interface NewCall {
  jobCmd: string;
  customjobid: string | undefined;
  workflowType: string;
  workflowId: string;
  /** Of the workflow, beside the id of the job. */
  input: object;
  instanceType: string;
  instanceId: string;
}

/**
 * Inserts the job of a call, or finds that of an equal call which came at the same time.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when a job for the same workflow id is running
 */
export async function insertJob(
  db: Pick<Database, 'insert' | 'select'>,
  { caller }: Pick<CommandContext, 'caller'>,
  { customjobid, input, ...call }: NewCall,
): Promise<JobRow> {
  const { accountId, userId } = caller;
  const jobId = customjobid ?? randomUUID();
  const created = await createJob(db, { ...call, id: jobId, accountId, userId, workflowInput: { ...input, jobId } });
  return jobOfCall(created, { jobCmd: call.jobCmd, accountId, instanceId: call.instanceId });
}

/** Starts the workflow of a job. Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens. */
export function begin(job: JobRow, { startJob }: Pick<CommandContext, 'startJob'>): { jobid: string } {
  void startJob(job);
  return { jobid: job.id };
}
