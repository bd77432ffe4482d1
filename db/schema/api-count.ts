import { bigint, integer, pgTable, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';

/** Calls of accounts that gateways have leave for, in the last interval in which there were any. */
export const apiCount = pgTable('api_count', {
  accountId: uuid()
    .primaryKey()
    .references(() => account.id, { onDelete: 'cascade' }),
  /** Number of the interval, from the epoch, where all are as long as the present one. */
  interval: bigint({ mode: 'number' }).notNull(),
  taken: integer().notNull(),
});
