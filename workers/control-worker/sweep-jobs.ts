import { and, eq, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { REPAIRED_WORKFLOWS } from '../../activities/control/virtual-machine/repair.js';
import { isWorkflowRunning } from '../../client/is-workflow-running.js';
import { startJob } from '../../client/start-job.js';
import type { JobRow } from '../../db/jobs.js';
import { asyncJob, JOB_STATUS } from '../../db/schema/index.js';

/** A job this young is still in the hands of the gateway that made it. */
const MINIMUM_AGE_SECONDS = 5;
const ROUND = 100;

/**
 * Makes every job end. A row whose workflow never came is started; one whose workflow was terminated, reset away or
 * lost gets a workflow that cleans up and ends the job. Several control workers may sweep at once: starting is
 * idempotent.
 */
export async function sweepJobs(dependencies: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const jobs = await dependencies.db
    .select()
    .from(asyncJob)
    .where(
      and(
        eq(asyncJob.jobStatus, JOB_STATUS.inProgress),
        sql`${asyncJob.created} < now() - make_interval(secs => ${MINIMUM_AGE_SECONDS})`,
      ),
    )
    // Each gets its turn, however many long ones run: the oldest first would be the same ones every time.
    .orderBy(sql`${asyncJob.runId} is not null`, sql`random()`)
    .limit(ROUND);
  for (const job of jobs) await sweepJob(dependencies, job);
}

async function sweepJob(dependencies: Pick<ControlDependencies, 'db' | 'client'>, job: JobRow): Promise<void> {
  if (!job.runId) {
    await startJob(dependencies, job);
    return;
  }
  const { client, db } = dependencies;
  if (await isWorkflowRunning(client, job.workflowId, job.runId)) return;
  // It may have written the outcome between the two reads.
  const [current] = await db.select().from(asyncJob).where(eq(asyncJob.id, job.id));
  if (current?.jobStatus !== JOB_STATUS.inProgress) return;
  await startJob(dependencies, { ...job, workflowType: successorOf(job.workflowType) });
}

/** Whatever else is idempotent runs again. */
const successorOf = (workflowType: string): string =>
  REPAIRED_WORKFLOWS.includes(workflowType) ? 'repairVirtualMachine' : workflowType;
