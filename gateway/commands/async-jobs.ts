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

/**
 * The job of an earlier call with the same `customjobid`, if it is this command's.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the id belongs to a job of another command
 */
export async function earlierJob(
  db: Pick<Database, 'select'>,
  { caller }: Pick<CommandContext, 'caller'>,
  { customjobid, jobCmd }: { customjobid: string | undefined; jobCmd: string },
): Promise<JobRow | undefined> {
  const job = customjobid ? await findJob(db, caller, customjobid) : undefined;
  if (job && (job.jobCmd !== jobCmd || job.accountId !== caller.accountId)) {
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `The job id ${customjobid} is in use; give another customjobid`,
    );
  }
  return job;
}
