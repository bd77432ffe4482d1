import { sql } from 'drizzle-orm';
import { boolean, index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id } from './columns.js';
import { user } from './user.js';

export const event = pgTable(
  'event',
  {
    id: id(),
    type: text().notNull(),
    level: text({ enum: ['INFO', 'WARN', 'ERROR'] }).notNull(),
    /** As root admins are told: it may name hosts and pools. */
    description: text().notNull(),
    /** As everybody else is told, where that differs. */
    ownerDescription: text(),
    accountId: uuid().references(() => account.id, { onDelete: 'restrict' }),
    /** Who asked for it; missing for what happens by itself. */
    userId: uuid().references(() => user.id, { onDelete: 'restrict' }),
    /** The job it belongs to. It may be purged before the event is. */
    jobId: uuid(),
    resourceType: text(),
    resourceId: uuid(),
    workflowId: text(),
    /** Not listed any more unless asked for. */
    archived: boolean().notNull().default(false),
    created: created(),
  },
  (table) => [
    index('event_account_id_idx').on(table.accountId),
    // A page of a list in its order, and how many there are, of one account and of all.
    index('event_account_id_created_id_idx')
      .on(table.accountId, table.created, table.id)
      .where(sql`not archived`),
    index('event_created_id_idx')
      .on(table.created, table.id)
      .where(sql`not archived`),
    index('event_user_id_idx').on(table.userId),
    index('event_created_idx').on(table.created),
    index('event_resource_id_idx').on(table.resourceId),
  ],
);
