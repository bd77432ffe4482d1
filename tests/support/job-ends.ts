import { JOB_STATUS } from '../../db/schema/index.js';

/** How the row of a job is in the end, for `toMatchObject`. */
export const SUCCEEDED = { jobStatus: JOB_STATUS.succeeded };
export const CANCELLED = { jobStatus: JOB_STATUS.cancelled };

/** @param text part of what the user is told */
export const failed = (text: string) => ({
  jobStatus: JOB_STATUS.failed,
  jobResult: expect.objectContaining({ errortext: expect.stringContaining(text) as string }) as object,
});
