import { sql } from 'drizzle-orm';
import { index, pgTable, text, uniqueIndex, uuid, type AnyPgColumn } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';

export const domain = pgTable(
  'domain',
  {
    id: id(),
    name: text().notNull(),
    /** Missing for the root. */
    parentId: uuid().references((): AnyPgColumn => domain.id, { onDelete: 'restrict' }),
    /** The names from the root to it, each with a slash behind it: `/`, `/sales/`, `/sales/emea/`. */
    path: text().notNull(),
    /** Inactive while it is being deleted: nothing is made in it any more. */
    state: text({ enum: ['Active', 'Inactive'] })
      .notNull()
      .default('Active'),
    created: created(),
    removed: removed(),
  },
  (table) => [
    uniqueIndex('domain_path_key')
      .on(sql`lower(path)`)
      .where(sql`removed is null`),
    index('domain_parent_id_idx').on(table.parentId),
  ],
);
