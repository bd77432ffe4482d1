import { index, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { created } from './columns.js';
import { storagePool } from './storage-pool.js';
import { vmInstance } from './vm-instance.js';

/** A VM that the maintenance of a pool has stopped, or is about to: it is started when that ends. */
export const storagePoolWork = pgTable(
  'storage_pool_work',
  {
    poolId: uuid()
      .notNull()
      .references(() => storagePool.id, { onDelete: 'cascade' }),
    vmId: uuid()
      .notNull()
      .references(() => vmInstance.id, { onDelete: 'cascade' }),
    /** The job that starts it again. A job may be purged before this is. */
    startJobId: uuid(),
    created: created(),
  },
  (table) => [
    primaryKey({ name: 'storage_pool_work_pkey', columns: [table.poolId, table.vmId] }),
    index('storage_pool_work_vm_id_idx').on(table.vmId),
  ],
);
