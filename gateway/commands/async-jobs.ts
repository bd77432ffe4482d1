import type { Database } from '../../db/client.js';
import type { JobRow } from '../../db/jobs.js';
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
