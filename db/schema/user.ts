import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id, removed } from './columns.js';

export const user = pgTable(
  'user',
  {
    id: id(),
    username: text().notNull(),
    /** `scrypt$<N>$<r>$<p>$<salt>$<hash>`, base64. */
    password: text().notNull(),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    firstname: text().notNull().default(''),
    lastname: text().notNull().default(''),
    email: text().notNull().default(''),
    state: text({ enum: ['enabled', 'disabled', 'locked'] })
      .notNull()
      .default('enabled'),
    apiKey: text().unique('user_api_key_key'),
    /** Encrypted with the installation's key: a signature needs the key itself, a hash would not do. */
    secretKeyEncrypted: text(),
    created: created(),
    removed: removed(),
  },
  (table) => [index('user_account_id_idx').on(table.accountId)],
);
