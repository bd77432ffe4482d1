import { and, eq } from 'drizzle-orm';
import type { Database } from '../client.js';
import type { JobRow } from '../jobs.js';
import { asyncJob } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { ownedBy } from './list-query.js';

export async function findJob(db: Pick<Database, 'select'>, caller: Caller, id: string): Promise<JobRow | undefined> {
  const [row] = await db
    .select()
    .from(asyncJob)
    .where(and(eq(asyncJob.id, id), ownedBy(caller, asyncJob.accountId)));
  return row;
}
