import { eq, ilike, type SQL, sql, type Column } from 'drizzle-orm';
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

/** No condition when the filter was not given. */
export const given = <Value>(
  value: Value | undefined,
  condition: (value: Value) => SQL | undefined,
): SQL | undefined => (value === undefined ? undefined : condition(value));

const literal = (text: string): string => text.replace(/[\\%_]/g, (char) => `\\${char}`);

/** Without regard to case; `%` and `_` stand for themselves. */
export const contains = (column: Column, text: string): SQL => ilike(column, `%${literal(text)}%`);

/** Without regard to case, as CloudStack's database compares: Ansible asks for hosts of type `routing`. */
export const isText = (column: Column, text: string): SQL => ilike(column, literal(text));

/** A root admin sees what everybody owns, others their own. */
export const ownedBy = (caller: Caller, accountId: Column): SQL | undefined =>
  caller.role === 'Admin' ? undefined : eq(accountId, caller.accountId);
