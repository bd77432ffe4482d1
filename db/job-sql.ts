import { and, eq, exists, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import type { Database } from './client.js';
import { asyncJob, JOB_STATUS } from './schema/index.js';

/**
 * Whether a job works on the thing that a column of the query has the id of.
 *
 * @param which of the jobs count; all when absent
 */
export const hasRunningJob = (db: Pick<Database, 'select'>, instanceId: AnyPgColumn, which?: SQL): SQL =>
  exists(
    db
      .select({ one: sql`1` })
      .from(asyncJob)
      .where(and(eq(asyncJob.instanceId, instanceId), eq(asyncJob.jobStatus, JOB_STATUS.inProgress), which)),
  );

/** Whether a job on that thing has ended within the last seconds. */
export const hasRecentJob = (db: Pick<Database, 'select'>, instanceId: AnyPgColumn, seconds: number): SQL<boolean> =>
  exists(
    db
      .select({ one: sql`1` })
      .from(asyncJob)
      .where(
        and(
          eq(asyncJob.instanceId, instanceId),
          sql`${asyncJob.completed} > now() - make_interval(secs => ${seconds})`,
        ),
      ),
  ) as SQL<boolean>;
