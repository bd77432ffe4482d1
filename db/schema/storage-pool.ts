import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { POOL_TYPES } from '../../shared/hosts.js';
import { cluster } from './cluster.js';
import { bytes, created, id, instant, removed, texts } from './columns.js';
import { dataCenter } from './data-center.js';
import { hostPodRef } from './host-pod-ref.js';

/** A primary storage pool. */
export const storagePool = pgTable(
  'storage_pool',
  {
    id: id(),
    name: text().notNull(),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    podId: uuid().references(() => hostPodRef.id, { onDelete: 'restrict' }),
    clusterId: uuid().references(() => cluster.id, { onDelete: 'restrict' }),
    poolType: text({ enum: POOL_TYPES }).notNull(),
    tags: texts(),
    /** Whose hosts reach it. A pool of hosts of two clusters is the ZONE's. */
    scope: text({ enum: ['HOST', 'CLUSTER', 'ZONE'] }).notNull(),
    /** A Disabled one takes no new disks and templates; what is there goes on. */
    status: text({ enum: ['Up', 'Disabled', 'Maintenance', 'Removed'] })
      .notNull()
      .default('Up'),
    capacityBytes: bytes().notNull().default(0),
    /** Used on the pool's file system, as a host of the pool last reported. */
    usedBytes: bytes().notNull().default(0),
    /** Promised to volumes: the sum of `capacity_claim.disk_bytes` and `volumes.reserved_bytes`. */
    allocatedBytes: bytes().notNull().default(0),
    /** Taken by templates, downloads included: the sum of `template_spool_ref.reserved_bytes`. */
    templateBytes: bytes().notNull().default(0),
    /** When its files were last compared with the database: several hosts may reach it, and one does that. */
    reconciled: instant(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    uniqueIndex('storage_pool_name_key')
      .on(table.name)
      .where(sql`removed is null`),
    index('storage_pool_data_center_id_idx').on(table.dataCenterId),
    index('storage_pool_cluster_id_idx').on(table.clusterId),
    index('storage_pool_pod_id_idx').on(table.podId),
    check('storage_pool_allocated_bytes_not_negative', sql`${table.allocatedBytes} >= 0`),
    check('storage_pool_template_bytes_not_negative', sql`${table.templateBytes} >= 0`),
  ],
);
