import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';
import { dataCenter } from './data-center.js';

/** A pod. */
export const hostPodRef = pgTable(
  'host_pod_ref',
  {
    id: id(),
    name: text().notNull(),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    created: created(),
    removed: removed(),
  },
  (table) => [index('host_pod_ref_data_center_id_idx').on(table.dataCenterId)],
);
