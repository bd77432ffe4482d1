import { sql } from 'drizzle-orm';
import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.js';

/** Logins of late that failed, or whose password is being looked at: of an address, of a user, of a user from an address. */
export const loginAttempt = pgTable(
  'login_attempt',
  {
    /** SHA-256 in hex: what strangers type for a name is sometimes a password. */
    subject: text().primaryKey(),
    attempts: integer().notNull(),
    /** The first of them: the count begins anew a while after it. */
    since: instant().notNull().defaultNow(),
    /** When the user was last let in from there. What others do elsewhere does not shut out whoever comes from there. */
    succeeded: instant(),
  },
  (table) => [
    // Those to be forgotten, each kind by its own time.
    index('login_attempt_since_idx')
      .on(table.since)
      .where(sql`succeeded is null`),
    index('login_attempt_succeeded_idx')
      .on(table.succeeded)
      .where(sql`succeeded is not null`),
  ],
);
