import { and, count, eq, gte, sql } from 'drizzle-orm';
import type { JobRow } from '../../../db/jobs.js';
import { asyncJob, JOB_STATUS } from '../../../db/schema/index.js';
import type { Transaction } from '../dependencies.js';
import { createVmJob } from './create-vm-job.js';

/** By which maintenance stops a VM: a guest that was asked once is ended the second time. */
export const TRIES_TO_STOP = 2;

/** Jobs that work on a VM now, and how often it was to be stopped since then. */
export async function jobsOf(
  tx: Transaction,
  vmId: string,
  since: string,
): Promise<{ running: number; stops: number }> {
  const isStop = and(eq(asyncJob.jobCmd, 'stopVirtualMachine'), gte(asyncJob.created, since));
  const [row] = await tx
    .select({
      running: count(sql`case when ${asyncJob.jobStatus} = ${JOB_STATUS.inProgress} then 1 end`),
      stops: count(sql`case when ${isStop} then 1 end`),
    })
    .from(asyncJob)
    .where(eq(asyncJob.instanceId, vmId));
  return row!;
}

/**
 * A stop in the name of who asked for the maintenance.
 *
 * @param stops so many there were before
 * @returns undefined when somebody has begun another operation on the VM a moment ago
 */
export const createStopJob = (
  tx: Transaction,
  vmId: string,
  { accountId, userId }: JobRow,
  stops: number,
): Promise<JobRow | undefined> =>
  createVmJob(tx, { vmId, accountId, userId, jobCmd: 'stopVirtualMachine', input: { isForced: stops > 0 } });
