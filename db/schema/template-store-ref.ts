import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { bytes, created, id } from './columns.js';
import { dataCenter } from './data-center.js';
import { vmTemplate } from './vm-template.js';

/**
 * A template in a zone. A bypassed template has no store: `store_id` NULL, BYPASSED and Ready at once, as CloudStack
 * has it. The zone stands here because there is no store to take it from.
 */
export const templateStoreRef = pgTable(
  'template_store_ref',
  {
    id: id(),
    templateId: uuid()
      .notNull()
      .references(() => vmTemplate.id, { onDelete: 'cascade' }),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    storeId: uuid(),
    storeRole: text().notNull().default('Image'),
    downloadState: text({ enum: ['BYPASSED'] })
      .notNull()
      .default('BYPASSED'),
    state: text({ enum: ['Ready', 'Destroyed'] })
      .notNull()
      .default('Ready'),
    downloadPct: integer().notNull().default(0),
    sizeBytes: bytes(),
    created: created(),
  },
  (table) => [
    uniqueIndex('template_store_ref_template_id_data_center_id_key')
      .on(table.templateId, table.dataCenterId)
      .where(sql`state = 'Ready'`),
    index('template_store_ref_template_id_idx').on(table.templateId),
    index('template_store_ref_data_center_id_idx').on(table.dataCenterId),
    check(
      'template_store_ref_bypassed_has_no_store',
      sql`${table.downloadState} <> 'BYPASSED' or ${table.storeId} is null`,
    ),
  ],
);
