import { type Column, eq, ilike, type SQL, sql } from 'drizzle-orm';
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
