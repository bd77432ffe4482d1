import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
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
    allocationState: text({ enum: ['Enabled', 'Disabled'] })
      .notNull()
      .default('Enabled'),
    /** Of the network of its hosts, as an operator notes it; IPv4. */
    gateway: text(),
    netmask: text(),
    startIp: text(),
    endIp: text(),
    created: created(),
    removed: removed(),
    /** The id while it is there. What is in it refers to this: it cannot be removed under anything, nor anything added to it. */
    presentId: uuid().generatedAlwaysAs(sql`case when removed is null then id end`),
    /** The zone while the pod is there. */
    presentZoneId: uuid()
      .generatedAlwaysAs(sql`case when removed is null then data_center_id end`)
      .references(() => dataCenter.presentId, { onDelete: 'restrict', onUpdate: 'restrict' }),
  },
  (table) => [
    uniqueIndex('host_pod_ref_data_center_id_name_key')
      .on(table.dataCenterId, table.name)
      .where(sql`removed is null`),
    unique('host_pod_ref_present_id_key').on(table.presentId),
    unique('host_pod_ref_id_data_center_id_key').on(table.id, table.dataCenterId),
    index('host_pod_ref_data_center_id_idx').on(table.dataCenterId),
    check('host_pod_ref_allocation_state_check', sql`${table.allocationState} in ('Enabled', 'Disabled')`),
  ],
);
