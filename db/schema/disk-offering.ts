import { sql } from 'drizzle-orm';
import { boolean, check, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { bytes, created, id, removed, sortKey, texts } from './columns.js';

export const diskOffering = pgTable(
  'disk_offering',
  {
    id: id(),
    name: text().notNull(),
    displayText: text().notNull(),
    /** Missing for a custom offering: whoever uses it says the size. */
    sizeBytes: bytes(),
    isCustomized: boolean().notNull().default(false),
    /** A pool has to have all of them. */
    storageTags: texts(),
    sortKey: sortKey(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    uniqueIndex('disk_offering_name_key')
      .on(table.name)
      .where(sql`removed is null`),
    check(
      'disk_offering_size',
      sql`(${table.sizeBytes} is null) = ${table.isCustomized} and coalesce(${table.sizeBytes}, 1) > 0`,
    ),
  ],
);
