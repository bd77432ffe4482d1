import { and, type Column, count, eq, getTableName, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../client.js';
import { rowCount } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { inScope, type Listed, ownedBy, type Page, type Scope } from './list-query.js';

interface PagedQuery {
  /** Its page is found in this table alone. */
  table: PgTable;
  id: Column;
  /** Whose a row is. */
  accountId: Column;
  caller: Caller;
  scope: Scope;
  /** That a row is one of those whose number the database keeps by account (`row_count`), where it does: as its trigger has it. */
  isCounted?: SQL;
  /** Of columns of the table; undefined for what was not asked. */
  filters: (SQL | undefined)[];
  orderBy: SQL[];
}

/** Rows of single accounts that are merged into a page of a domain's: as a domain has that is of 10,000 accounts and more. */
const MOST_MERGED = 20_000;

/**
 * One page of what may be a long list. The page first: of joins the planner would put 100,000 rows together to show 20.
 *
 * @param load reads what is on the page; one may be gone by then
 */
export async function listedPage<Row>(
  db: Database,
  query: PagedQuery,
  { limit, offset }: Page,
  load: (ids: string[]) => PromiseLike<Row[]>,
  idOf: (row: Row) => string,
): Promise<Listed<Row>> {
  const { id, orderBy } = query;
  const counted = numberOf(db, query);
  const page = await db
    .select({ id: sql<string>`${id}`, total: sql<number>`(${counted})`.mapWith(Number) })
    .from(await sourceOf(db, query, limit + offset))
    .where(matching(query))
    .orderBy(...orderBy)
    .limit(limit)
    .offset(offset);
  if (page.length === 0) return { count: offset === 0 ? 0 : (await counted)[0]!.count, rows: [] };
  const byId = new Map((await load(page.map((row) => row.id))).map((row) => [idOf(row), row]));
  return { count: page[0]!.total, rows: page.flatMap((row) => byId.get(row.id) ?? []) };
}

const isOwned = ({ caller, scope }: PagedQuery, accountId: Column): SQL | undefined =>
  and(ownedBy(caller, accountId), inScope(scope, accountId));

const matching = (query: PagedQuery): SQL | undefined =>
  and(isOwned(query, query.accountId), query.isCounted, ...query.filters);

/** Whether the database keeps the number of all that match: nothing was asked but whose they are. */
const isKept = ({ isCounted, filters }: PagedQuery): boolean =>
  isCounted !== undefined && filters.every((filter) => filter === undefined);

/** Of `row_count`. */
const isCountedOf = (query: PagedQuery): SQL | undefined =>
  and(eq(rowCount.counted, getTableName(query.table)), isOwned(query, rowCount.accountId));

const numberOf = (db: Database, query: PagedQuery) =>
  isKept(query)
    ? keptNumber(db, isCountedOf(query))
    : db.select({ count: count() }).from(query.table).where(matching(query));

/**
 * Where a page that ends with the row of that number is looked for. A domain's, where it has little, in the first rows of each
 * of its accounts: in the order of everybody's rows one might pass 100,000 of others to find 20.
 */
async function sourceOf(db: Database, query: PagedQuery, end: number): Promise<PgTable | SQL> {
  const { caller, scope, table, accountId, isCounted, orderBy } = query;
  const isOfDomain = caller.role === 'DomainAdmin' || scope.of === 'domain';
  if (!isOfDomain || !isKept(query)) return table;
  const owners = sql`(
    select ${rowCount.accountId} as account_id, least(sum(${rowCount.rows}), ${end}::bigint) as first_rows
    from ${rowCount} where ${isCountedOf(query)} group by ${rowCount.accountId}
  ) as owner`;
  const [row] = await db.execute<{ merged: number }>(
    sql`select coalesce(sum(first_rows), 0)::float8 as merged from ${owners}`,
  );
  if (row!.merged > MOST_MERGED) return table;
  return sql`${owners} cross join lateral (
    select * from ${table} where ${accountId} = owner.account_id and ${isCounted}
    order by ${sql.join(orderBy, sql`, `)} limit ${end}::bigint
  ) as ${table}`;
}

/** @param where of `row_count` */
export const keptNumber = (db: Database, where: SQL | undefined) =>
  db
    .select({ count: sql<number>`coalesce(sum(${rowCount.rows}), 0)`.mapWith(Number) })
    .from(rowCount)
    .where(where);
