import { and, eq } from 'drizzle-orm';
import type { Database } from '../../db/client.js';
import type { JobRow } from '../../db/jobs.js';
import { asyncJob, JOB_STATUS } from '../../db/schema/index.js';
import type { Transaction } from './dependencies.js';

/** The job, as long as it has no outcome: otherwise somebody started its workflow once too often. */
export async function runningJob(db: Pick<Database, 'select'>, jobId: string): Promise<JobRow | undefined> {
  const [job] = await selectRunning(db, jobId);
  return job;
}

/** As `runningJob`, locked: of two tries of the same activity the second finds what the first has done. */
export async function lockRunningJob(tx: Transaction, jobId: string): Promise<JobRow | undefined> {
  const [job] = await selectRunning(tx, jobId).for('update');
  return job;
}

const selectRunning = (db: Pick<Database, 'select'>, jobId: string) =>
  db
    .select()
    .from(asyncJob)
    .where(and(eq(asyncJob.id, jobId), eq(asyncJob.jobStatus, JOB_STATUS.inProgress)));
