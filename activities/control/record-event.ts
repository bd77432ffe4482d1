import { sql } from 'drizzle-orm';
import type { Database } from '../../db/client.js';
import { asyncJob, event } from '../../db/schema/index.js';

/**
 * One row of the audit trail: what came of something, or what happened by itself. The description is for people and has
 * no secrets. With a job, who asked for it and the workflow that did it are noted too: the job itself is kept less long.
 */
export async function recordEvent(db: Pick<Database, 'insert'>, row: typeof event.$inferInsert): Promise<void> {
  const { jobId } = row;
  const ofJob = jobId
    ? {
        userId: sql`(select ${asyncJob.userId} from ${asyncJob} where ${asyncJob.id} = ${jobId})`,
        workflowId: sql`(select ${asyncJob.workflowId} from ${asyncJob} where ${asyncJob.id} = ${jobId})`,
      }
    : {};
  await db.insert(event).values({ ...row, ...ofJob });
}
