import { sql } from 'drizzle-orm';
import { bigint, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';

/** A zone. */
export const dataCenter = pgTable(
  'data_center',
  {
    id: id(),
    name: text().notNull(),
    networktype: text({ enum: ['Basic', 'Advanced'] })
      .notNull()
      .default('Advanced'),
    allocationState: text({ enum: ['Enabled', 'Disabled'] })
      .notNull()
      .default('Enabled'),
    /** Grows with each change of what hosts are to trust; a host refuses an older set than it has. */
    certificateGeneration: bigint({ mode: 'number' }).notNull().default(0),
    created: created(),
    removed: removed(),
  },
  (table) => [
    uniqueIndex('data_center_name_key')
      .on(table.name)
      .where(sql`removed is null`),
  ],
);
