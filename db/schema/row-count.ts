import { bigint, index, pgTable, text, uuid } from 'drizzle-orm/pg-core';

/**
 * How many rows a list has, by the account that owns them: the number is the sum of `rows`. Triggers insert what a statement
 * adds or takes away, and nobody updates a row, so that transactions of one account never wait for each other; many are
 * folded into one later (db/fold-row-counts.ts). It refers to no account: an account cannot go before its rows, and what is
 * left of it then is 0.
 */
export const rowCount = pgTable(
  'row_count',
  {
    /** The table whose rows these are; of templates and ISOs the view, as `template featured` (template_counted). */
    counted: text().notNull(),
    /** Missing for what is nobody's in particular. */
    accountId: uuid(),
    rows: bigint({ mode: 'number' }).notNull(),
  },
  // All that a sum is made of, without a look at the table.
  (table) => [index('row_count_counted_account_id_rows_idx').on(table.counted, table.accountId, table.rows)],
);
