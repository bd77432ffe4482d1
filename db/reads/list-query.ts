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

export const listed = <Row extends { total: number }>(rows: Row[]): Listed<Row> => ({
  count: rows[0]?.total ?? 0,
  rows,
});

/** No condition when the filter was not given. */
export const given = <Value>(
  value: Value | undefined,
  condition: (value: Value) => SQL | undefined,
): SQL | undefined => (value === undefined ? undefined : condition(value));

/** Without regard to case; `%` and `_` stand for themselves. */
export const contains = (column: Column, text: string): SQL =>
  ilike(column, `%${text.replace(/[\\%_]/g, (char) => `\\${char}`)}%`);

/** A root admin sees what everybody owns, others their own. */
export const ownedBy = (caller: Caller, accountId: Column): SQL | undefined =>
  caller.role === 'Admin' ? undefined : eq(accountId, caller.accountId);
