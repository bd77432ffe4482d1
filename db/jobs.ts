import { and, eq } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { isUniqueViolation } from './errors.js';
import { asyncJob, JOB_STATUS } from './schema/index.js';

export type JobRow = typeof asyncJob.$inferSelect;

export interface NewJob {
  /** The caller's `customjobid`: the same call again gives the same job. */
  id?: string;
  accountId: string;
  userId: string;
  jobCmd: string;
  workflowType: string;
  workflowId: string;
  workflowInput: Record<string, unknown>;
  instanceType: string;
  instanceId: string;
}

/**
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when a job for the same workflow id is running.
 */
export async function createJob(db: Pick<Database, 'insert' | 'select'>, job: NewJob): Promise<JobRow> {
  try {
    const [row] = await db.insert(asyncJob).values(job).onConflictDoNothing({ target: asyncJob.id }).returning();
    if (row) return row;
  } catch (error) {
    if (!isUniqueViolation(error, 'async_job_workflow_id_running_key')) throw error;
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_BUSY',
      `Another operation on ${job.instanceType} ${job.instanceId} is running`,
    );
  }
  const [existing] = await db
    .select()
    .from(asyncJob)
    .where(and(eq(asyncJob.id, job.id!), eq(asyncJob.accountId, job.accountId)));
  if (existing) return existing;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `The job id ${job.id} is in use; give another customjobid`);
}

export async function findRunningJob(db: Pick<Database, 'select'>, workflowId: string): Promise<JobRow | undefined> {
  const [row] = await db
    .select()
    .from(asyncJob)
    .where(and(eq(asyncJob.workflowId, workflowId), eq(asyncJob.jobStatus, JOB_STATUS.inProgress)));
  return row;
}

/**
 * @param jobId is no other operation: the same call may have come twice at once
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when a job works on the VM, whose row is locked by the caller
 */
export async function requireIdle(db: Pick<Database, 'select'>, vmId: string, jobId?: string): Promise<void> {
  const running = await db
    .select({ id: asyncJob.id })
    .from(asyncJob)
    .where(and(eq(asyncJob.instanceId, vmId), eq(asyncJob.jobStatus, JOB_STATUS.inProgress)));
  if (running.every(({ id }) => id === jobId)) return;
  throw new SlipwayError('SLIPWAY_RESOURCE_BUSY', `Another operation on VirtualMachine ${vmId} is running`);
}

export async function recordJobRun(db: Database, jobId: string, runId: string): Promise<void> {
  await db.update(asyncJob).set({ runId }).where(eq(asyncJob.id, jobId));
}

export interface JobOutcome {
  status: 'succeeded' | 'failed' | 'cancelled';
  /** CloudStack's errorcode, 0 when it succeeded. */
  resultCode: number;
  result: Record<string, unknown>;
}

/** Writes the outcome once: a job that has ended keeps its first outcome. */
export async function completeJob(
  db: Pick<Database, 'update'>,
  jobId: string,
  { status, resultCode, result }: JobOutcome,
): Promise<boolean> {
  const rows = await db
    .update(asyncJob)
    .set({
      jobStatus: JOB_STATUS[status],
      jobResultCode: resultCode,
      jobResult: result,
      completed: new Date().toISOString(),
    })
    .where(and(eq(asyncJob.id, jobId), eq(asyncJob.jobStatus, JOB_STATUS.inProgress)))
    .returning({ id: asyncJob.id });
  return rows.length === 1;
}
