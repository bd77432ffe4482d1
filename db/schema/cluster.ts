import { sql } from 'drizzle-orm';
import { check, foreignKey, index, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';
import { dataCenter } from './data-center.js';
import { hostPodRef } from './host-pod-ref.js';

/** CloudStack's names of CPU architectures. */
export const CLUSTER_ARCHS = ['x86_64', 'aarch64'] as const;

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
    /** Of its hosts, as an operator has said, or the first of them. Null until then. */
    arch: text({ enum: CLUSTER_ARCHS }),
    allocationState: text({ enum: ['Enabled', 'Disabled'] })
      .notNull()
      .default('Enabled'),
    created: created(),
    removed: removed(),
    /** The id while it is there. What is in it refers to this: it cannot be removed under anything, nor anything added to it. */
    presentId: uuid().generatedAlwaysAs(sql`case when removed is null then id end`),
    /** The pod while the cluster is there. */
    presentPodId: uuid()
      .generatedAlwaysAs(sql`case when removed is null then pod_id end`)
      .references(() => hostPodRef.presentId, { onDelete: 'restrict', onUpdate: 'restrict' }),
  },
  (table) => [
    uniqueIndex('cluster_pod_id_name_key')
      .on(table.podId, table.name)
      .where(sql`removed is null`),
    unique('cluster_present_id_key').on(table.presentId),
    unique('cluster_id_pod_id_data_center_id_key').on(table.id, table.podId, table.dataCenterId),
    // Of the zone that its pod is in.
    foreignKey({
      name: 'cluster_pod_id_data_center_id_fk',
      columns: [table.podId, table.dataCenterId],
      foreignColumns: [hostPodRef.id, hostPodRef.dataCenterId],
    }).onDelete('restrict'),
    index('cluster_data_center_id_idx').on(table.dataCenterId),
    index('cluster_pod_id_idx').on(table.podId),
    check('cluster_arch_check', sql`${table.arch} in ('x86_64', 'aarch64')`),
    check('cluster_allocation_state_check', sql`${table.allocationState} in ('Enabled', 'Disabled')`),
  ],
);
