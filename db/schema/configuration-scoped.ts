import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { cluster } from './cluster.js';
import { id, instant } from './columns.js';
import { dataCenter } from './data-center.js';
import { storagePool } from './storage-pool.js';

/**
 * Settings that a zone, a cluster, a pool or an account has of its own. A trigger of the migration removes them when
 * `removed` of what they belong to is set: it stays in its table, and nobody could see or change them any more.
 */
export const configurationScoped = pgTable(
  'configuration_scoped',
  {
    id: id(),
    name: text().notNull(),
    value: text().notNull(),
    zoneId: uuid().references(() => dataCenter.id, { onDelete: 'cascade' }),
    clusterId: uuid().references(() => cluster.id, { onDelete: 'cascade' }),
    poolId: uuid().references(() => storagePool.id, { onDelete: 'cascade' }),
    accountId: uuid().references(() => account.id, { onDelete: 'cascade' }),
    updated: instant().notNull().defaultNow(),
  },
  (table) => [
    unique('configuration_scoped_name_place_key')
      .on(table.name, table.zoneId, table.clusterId, table.poolId, table.accountId)
      .nullsNotDistinct(),
    check(
      'configuration_scoped_one_place',
      sql`num_nonnulls(${table.zoneId}, ${table.clusterId}, ${table.poolId}, ${table.accountId}) = 1`,
    ),
    index('configuration_scoped_zone_id_idx').on(table.zoneId),
    index('configuration_scoped_cluster_id_idx').on(table.clusterId),
    index('configuration_scoped_pool_id_idx').on(table.poolId),
    index('configuration_scoped_account_id_idx').on(table.accountId),
  ],
);
