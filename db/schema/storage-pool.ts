import { sql } from 'drizzle-orm';
import { check, foreignKey, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { POOL_TYPES } from '../../shared/hosts.js';
import { cluster } from './cluster.js';
import { bytes, created, id, instant, removed, texts } from './columns.js';
import { dataCenter } from './data-center.js';
import { hostPodRef } from './host-pod-ref.js';

/**
 * A `Disabled` one takes no new disks and templates, and what is there goes on. In maintenance nothing runs from it, and
 * nothing is written to it; `ErrorInMaintenance` when that could not be brought about.
 */
export const POOL_STATUSES = [
  'Up',
  'Disabled',
  'PrepareForMaintenance',
  'ErrorInMaintenance',
  'Maintenance',
  'Removed',
] as const;

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
    status: text({ enum: POOL_STATUSES }).notNull().default('Up'),
    /** Where an operator says that it is, of a pool made by createStoragePool. Of a HOST's own pool: the id of the host. */
    hostAddress: text(),
    path: text(),
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
    /** The zone, and the cluster, while the pool is there: they cannot be removed under it. */
    presentZoneId: uuid()
      .generatedAlwaysAs(sql`case when removed is null then data_center_id end`)
      .references(() => dataCenter.presentId, { onDelete: 'restrict', onUpdate: 'restrict' }),
    presentClusterId: uuid()
      .generatedAlwaysAs(sql`case when removed is null then cluster_id end`)
      .references(() => cluster.presentId, { onDelete: 'restrict', onUpdate: 'restrict' }),
  },
  (table) => [
    uniqueIndex('storage_pool_name_key')
      .on(table.name)
      .where(sql`removed is null`),
    // One export, or one directory of the hosts of a cluster, is one pool.
    uniqueIndex('storage_pool_export_key')
      .on(table.dataCenterId, table.hostAddress, table.path)
      .where(sql`pool_type = 'NetworkFilesystem' and removed is null`),
    uniqueIndex('storage_pool_cluster_id_path_key')
      .on(table.clusterId, table.path)
      .where(sql`pool_type = 'SharedMountPoint' and removed is null`),
    // Of the pod and the zone that its cluster is in.
    foreignKey({
      name: 'storage_pool_cluster_id_pod_id_data_center_id_fk',
      columns: [table.clusterId, table.podId, table.dataCenterId],
      foreignColumns: [cluster.id, cluster.podId, cluster.dataCenterId],
    }).onDelete('restrict'),
    check(
      'storage_pool_status_check',
      sql`${table.status} in ('Up', 'Disabled', 'PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance', 'Removed')`,
    ),
    check(
      'storage_pool_scope_check',
      sql`${table.scope} = 'HOST'
        or (${table.scope} = 'CLUSTER' and ${table.clusterId} is not null and ${table.podId} is not null)
        or (${table.scope} = 'ZONE' and ${table.clusterId} is null and ${table.podId} is null)`,
    ),
    index('storage_pool_data_center_id_idx').on(table.dataCenterId),
    index('storage_pool_cluster_id_idx').on(table.clusterId),
    index('storage_pool_pod_id_idx').on(table.podId),
    check('storage_pool_allocated_bytes_not_negative', sql`${table.allocatedBytes} >= 0`),
    check('storage_pool_template_bytes_not_negative', sql`${table.templateBytes} >= 0`),
  ],
);
