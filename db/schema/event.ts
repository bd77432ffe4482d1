import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id } from './columns.js';

export const event = pgTable(
  'event',
  {
    id: id(),
    type: text().notNull(),
    level: text({ enum: ['INFO', 'WARN', 'ERROR'] }).notNull(),
    description: text().notNull(),
    accountId: uuid().references(() => account.id, { onDelete: 'restrict' }),
    resourceType: text(),
    resourceId: uuid(),
    workflowId: text(),
    created: created(),
  },
  (table) => [index('event_account_id_idx').on(table.accountId), index('event_created_idx').on(table.created)],
);
