import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { created, id, instant } from './columns.js';
import { user } from './user.js';

/** Who has logged in; any gateway serves them. Whoever reads this table can use none of them: it has hashes. */
export const session = pgTable(
  'session',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    /** SHA-256 of the cookie, in hex: 256 random bits need no slow hash. */
    tokenHash: text().notNull().unique('session_token_hash_key'),
    /** The same of what has to come beside the cookie. */
    keyHash: text().notNull(),
    created: created(),
    /** When it ends unless it is used. */
    expires: instant().notNull(),
  },
  (table) => [index('session_user_id_idx').on(table.userId), index('session_expires_idx').on(table.expires)],
);
