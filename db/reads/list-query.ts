import { and, type Column, count, eq, getTableName, ilike, type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../client.js';
import { rowCount } from '../schema/index.js';
import type { Caller } from './find-caller.js';

/** Which part of a list is asked for. */
export interface Page {
  limit: number;
  offset: number;
}

/** `count` is the number of all that match, as CloudStack counts. */
export interface Listed<Row> {
  count: number;
  rows: Row[];
}

/** Select it beside the rows: one query gives a page and the number of all. */
export const total = sql<number>`count(*) over ()`.mapWith(Number);

interface PageableQuery<Row> {
  limit(limit: number): { offset(offset: number): PromiseLike<Row[]> };
}

/** One page of a query that selects `total`. */
export async function listed<Row extends { total: number }>(
  query: PageableQuery<Row>,
  { limit, offset }: Page,
): Promise<Listed<Row>> {
  const rows = await query.limit(limit).offset(offset);
  if (rows.length > 0 || offset === 0) return { count: rows[0]?.total ?? 0, rows };
  // Behind the last page there is no row to read the number of all from.
  const [first] = await query.limit(1).offset(0);
  return { count: first?.total ?? 0, rows: [] };
}

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

/** One parameter, however many there are: so the statement stays prepared. */
export const isAnyOf = (id: Column, ids: string[]): SQL => sql`${id} = any(${sql.param(ids)}::uuid[])`;

/** No condition when the filter was not given. */
export const given = <Value>(
  value: Value | undefined,
  condition: (value: Value) => SQL | undefined,
): SQL | undefined => (value === undefined ? undefined : condition(value));

const literal = (text: string): string => text.replace(/[\\%_]/g, (char) => `\\${char}`);

/** Without regard to case; `%` and `_` stand for themselves. */
export const contains = (column: Column | SQL, text: string): SQL => ilike(column, `%${literal(text)}%`);

/** Without regard to case, as CloudStack's database compares: Ansible asks for hosts of type `routing`. */
export const isText = (column: Column, text: string): SQL => ilike(column, literal(text));

const ofDomain = (accountId: Column, isMeant: SQL): SQL =>
  sql`${accountId} in (
    select owner.id from account owner join domain owning on owning.id = owner.domain_id where ${isMeant}
  )`;

const isBelow = (path: string): SQL => sql`starts_with(owning.path, ${path})`;

/** A root admin may work on what everybody owns, a domain admin on what accounts of the domain and below own, others on their own. */
export function ownedBy(caller: Caller, accountId: Column): SQL | undefined {
  switch (caller.role) {
    case 'Admin':
      return undefined;
    case 'DomainAdmin':
      // Whoever administers the root domain is no root admin by that.
      return ofDomain(accountId, sql`${isBelow(caller.domainPath)} and owner.type <> 'Admin'`);
    case 'User':
      return eq(accountId, caller.accountId);
  }
}

/** Whose things a list has. */
export type Scope =
  { of: 'everybody' } | { of: 'account'; accountId: string } | { of: 'domain'; path: string; isRecursive: boolean };

/** What the scope leaves of a list. It narrows only: `ownedBy` is what keeps strangers out. */
export function inScope(scope: Scope, accountId: Column): SQL | undefined {
  switch (scope.of) {
    case 'everybody':
      return undefined;
    case 'account':
      return eq(accountId, scope.accountId);
    case 'domain':
      return ofDomain(accountId, scope.isRecursive ? isBelow(scope.path) : sql`owning.path = ${scope.path}`);
  }
}
