import { sql } from 'drizzle-orm';
import { check, integer, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { created, id, removed, sortKey, texts } from './columns.js';

export const serviceOffering = pgTable(
  'service_offering',
  {
    id: id(),
    name: text().notNull(),
    displayText: text().notNull(),
    cpu: integer().notNull(),
    speedMhz: integer().notNull(),
    ramMb: integer().notNull(),
    /** A host, or a pool, has to have all of them. */
    hostTags: texts(),
    storageTags: texts(),
    sortKey: sortKey(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    uniqueIndex('service_offering_name_key')
      .on(table.name)
      .where(sql`removed is null`),
    check('service_offering_positive', sql`${table.cpu} > 0 and ${table.speedMhz} > 0 and ${table.ramMb} > 0`),
  ],
);
