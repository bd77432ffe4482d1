import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.js';

/** Logins of late that failed, or whose password is being looked at, of one address or of one user. */
export const loginAttempt = pgTable(
  'login_attempt',
  {
    /** SHA-256 in hex: what strangers type for a name is sometimes a password. */
    subject: text().primaryKey(),
    attempts: integer().notNull(),
    /** The first of them: the count begins anew a while after it. */
    since: instant().notNull().defaultNow(),
  },
  (table) => [index('login_attempt_since_idx').on(table.since)],
);
