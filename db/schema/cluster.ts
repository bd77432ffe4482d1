import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';
import { dataCenter } from './data-center.js';
import { hostPodRef } from './host-pod-ref.js';

export const cluster = pgTable(
  'cluster',
  {
    id: id(),
    name: text().notNull(),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    podId: uuid()
      .notNull()
      .references(() => hostPodRef.id, { onDelete: 'restrict' }),
    hypervisorType: text().notNull().default('KVM'),
    allocationState: text({ enum: ['Enabled', 'Disabled'] })
      .notNull()
      .default('Enabled'),
    created: created(),
    removed: removed(),
  },
  (table) => [index('cluster_data_center_id_idx').on(table.dataCenterId), index('cluster_pod_id_idx').on(table.podId)],
);
