import { index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';
import { domain } from './domain.js';

export const ACCOUNT_TYPES = ['User', 'DomainAdmin', 'Admin'] as const;

export const account = pgTable(
  'account',
  {
    id: id(),
    accountName: text().notNull(),
    type: text({ enum: ACCOUNT_TYPES }).notNull(),
    domainId: uuid()
      .notNull()
      .references(() => domain.id, { onDelete: 'restrict' }),
    state: text({ enum: ['enabled', 'disabled', 'locked'] })
      .notNull()
      .default('enabled'),
    created: created(),
    removed: removed(),
  },
  (table) => [
    unique('account_account_name_domain_id_key').on(table.accountName, table.domainId),
    index('account_domain_id_idx').on(table.domainId),
  ],
);
