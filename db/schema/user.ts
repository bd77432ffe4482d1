import { sql } from 'drizzle-orm';
import { index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id, removed } from './columns.js';
import { domain } from './domain.js';

export const USER_STATES = ['enabled', 'disabled', 'locked'] as const;

export const user = pgTable(
  'user',
  {
    id: id(),
    username: text().notNull(),
    /** As `hashPassword` gives it: `scrypt$<N>$<r>$<p>$<salt>$<hash>`, base64. */
    password: text().notNull(),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    /** That of the account, for the index below: two people who log in with the same name are one. */
    domainId: uuid()
      .notNull()
      .references(() => domain.id, { onDelete: 'restrict' }),
    firstname: text().notNull().default(''),
    lastname: text().notNull().default(''),
    email: text().notNull().default(''),
    /** As it was given; kept and shown. */
    timezone: text(),
    state: text({ enum: USER_STATES }).notNull().default('enabled'),
    apiKey: text().unique('user_api_key_key'),
    /** Encrypted with the installation's key: a signature needs the key itself, a hash would not do. */
    secretKeyEncrypted: text(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    index('user_account_id_idx').on(table.accountId),
    uniqueIndex('user_username_domain_id_key')
      .on(sql`lower(username)`, table.domainId)
      .where(sql`removed is null`),
    // A page of a list in its order.
    index('user_username_id_idx')
      .on(table.username, table.id)
      .where(sql`removed is null`),
    index('user_domain_id_idx').on(table.domainId),
  ],
);
