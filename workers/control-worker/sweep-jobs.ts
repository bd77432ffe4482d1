import { and, eq, isNotNull, isNull, type SQL, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { REPAIRED_WORKFLOWS } from '../../activities/control/virtual-machine/repair.js';
import { isWorkflowRunning } from '../../client/is-workflow-running.js';
import { startJob } from '../../client/start-job.js';
import type { Database } from '../../db/client.js';
import type { JobRow } from '../../db/jobs.js';
import { asyncJob, JOB_STATUS } from '../../db/schema/index.js';

/** A job this young is still in the hands of the gateway that made it. */
const MINIMUM_AGE_SECONDS = 5;
const STARTED_IN_ROUND = 100;
/** Temporal is asked after each of these, which costs it a third of an activity, all the time that a thousand jobs run. */
const ASKED_IN_ROUND = 20;

/**
 * Makes every job end. A row whose workflow never came is started; one whose workflow was terminated, reset away or
 * lost gets a workflow that cleans up and ends the job. Several control workers may sweep at once: starting is
 * idempotent.
 */
export async function sweepJobs(dependencies: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const { db } = dependencies;
  for (const job of await someJobs(db, isNull(asyncJob.runId), STARTED_IN_ROUND)) await startJob(dependencies, job);
  for (const job of await someJobs(db, isNotNull(asyncJob.runId), ASKED_IN_ROUND)) await lookAfter(dependencies, job);
}

const someJobs = (db: Database, which: SQL, limit: number): Promise<JobRow[]> =>
  db
    .select()
    .from(asyncJob)
    .where(
      and(
        eq(asyncJob.jobStatus, JOB_STATUS.inProgress),
        sql`${asyncJob.created} < now() - make_interval(secs => ${MINIMUM_AGE_SECONDS})`,
        which,
      ),
    )
    // Each gets its turn, however many long ones run: the oldest first would be the same ones every time.
    .orderBy(sql`random()`)
    .limit(limit);

async function lookAfter(dependencies: Pick<ControlDependencies, 'db' | 'client'>, job: JobRow): Promise<void> {
  const { client, db } = dependencies;
  if (await isWorkflowRunning(client, job.workflowId, job.runId ?? undefined)) return;
  // It may have written the outcome between the two reads.
  const [current] = await db.select().from(asyncJob).where(eq(asyncJob.id, job.id));
  if (current?.jobStatus !== JOB_STATUS.inProgress) return;
  await startJob(dependencies, { ...job, workflowType: successorOf(job.workflowType) });
}

/** Whatever else is idempotent runs again. */
const successorOf = (workflowType: string): string =>
  REPAIRED_WORKFLOWS.includes(workflowType) ? 'repairVirtualMachine' : workflowType;
