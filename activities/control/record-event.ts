import { sql } from 'drizzle-orm';
import type { Database } from '../../db/client.js';
import { asyncJob, event } from '../../db/schema/index.js';
import type { Failure } from '../../shared/failures.js';
import { ownerText } from '../../shared/owner-text.js';

/** What an event tells: root admins, and everybody else where hosts and pools are named. */
export type Told = Pick<typeof event.$inferInsert, 'description' | 'ownerDescription'>;

export const toldOf = (failure: Failure): Told => ({
  description: failure.message,
  ownerDescription: ownerText(failure),
});

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
