import { index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { host } from './host.js';
import { storagePool } from './storage-pool.js';

/** Which hosts reach a pool, and where they have it. */
export const storagePoolHostRef = pgTable(
  'storage_pool_host_ref',
  {
    poolId: uuid()
      .notNull()
      .references(() => storagePool.id, { onDelete: 'cascade' }),
    hostId: uuid()
      .notNull()
      .references(() => host.id, { onDelete: 'cascade' }),
    localPath: text().notNull(),
    /** Why the host can make no new disk there: gone, or read-only. Missing while it can. */
    problem: text(),
  },
  (table) => [
    primaryKey({ name: 'storage_pool_host_ref_pkey', columns: [table.poolId, table.hostId] }),
    index('storage_pool_host_ref_host_id_idx').on(table.hostId),
  ],
);
