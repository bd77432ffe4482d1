import { and, desc, eq, gte, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, asyncJob, domain } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, ownedBy, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';

export interface JobFilter {
  scope: Scope;
  from?: Date;
  /** In the name of the command. */
  keyword?: string;
}

const select = (db: Database) =>
  db
    .select({
      job: asyncJob,
      accountName: account.accountName,
      accountType: account.type,
      domainId: domain.id,
      domainPath: domain.path,
    })
    .from(asyncJob)
    .innerJoin(account, eq(account.id, asyncJob.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId));

export type ListedJob = Awaited<ReturnType<typeof select>>[number];

/** The latest first. */
export const listJobs = (db: Database, caller: Caller, filter: JobFilter, page: Page) =>
  listedPage(
    db,
    {
      table: asyncJob,
      id: asyncJob.id,
      accountId: asyncJob.accountId,
      caller,
      scope: filter.scope,
      isCounted: sql`true`,
      filters: [
        given(filter.from, (from) => gte(asyncJob.created, from.toISOString())),
        given(filter.keyword, (text) => contains(asyncJob.jobCmd, text)),
      ],
      orderBy: [desc(asyncJob.created), desc(asyncJob.id)],
    },
    page,
    (ids) => findListedJobs(db, ids),
    ({ job }) => job.id,
  );

export async function findListedJob(db: Database, caller: Caller, id: string): Promise<ListedJob | undefined> {
  const [row] = await select(db).where(and(eq(asyncJob.id, id), ownedBy(caller, asyncJob.accountId)));
  return row;
}

/** Whoever owns them. */
export const findListedJobs = (db: Database, ids: string[]): Promise<ListedJob[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : select(db)
        .where(isAnyOf(asyncJob.id, ids))
        .then((rows) => rows);
