import { sql } from 'drizzle-orm';
import { boolean, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';
import { domain } from './domain.js';

export const ACCOUNT_TYPES = ['User', 'DomainAdmin', 'Admin'] as const;
export const ACCOUNT_STATES = ['enabled', 'disabled', 'locked'] as const;

export const account = pgTable(
  'account',
  {
    id: id(),
    accountName: text().notNull(),
    type: text({ enum: ACCOUNT_TYPES }).notNull(),
    domainId: uuid()
      .notNull()
      .references(() => domain.id, { onDelete: 'restrict' }),
    state: text({ enum: ACCOUNT_STATES }).notNull().default('enabled'),
    /** The root admin that every installation has; it can be neither deleted nor disabled. */
    isDefault: boolean().notNull().default(false),
    /** It was deleted, and something that it owned is still there. */
    cleanupNeeded: boolean().notNull().default(false),
    created: created(),
    removed: removed(),
  },
  (table) => [
    // Without regard to case, as CloudStack's database compares; a deleted account's name is free again.
    uniqueIndex('account_account_name_domain_id_key')
      .on(sql`lower(account_name)`, table.domainId)
      .where(sql`removed is null`),
    // A page of a list in its order.
    index('account_account_name_id_idx')
      .on(table.accountName, table.id)
      .where(sql`removed is null`),
    index('account_domain_id_idx').on(table.domainId),
  ],
);
