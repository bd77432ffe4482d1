import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { bytes, created } from './columns.js';
import { host } from './host.js';
import { storagePool } from './storage-pool.js';
import { vmInstance } from './vm-instance.js';

/**
 * What one try of a VM holds on one host and pool. The sums stand in `host` and `storage_pool`; they change in the
 * transaction that inserts or deletes the claim, so that claiming and releasing twice changes nothing.
 */
export const capacityClaim = pgTable(
  'capacity_claim',
  {
    vmId: uuid()
      .notNull()
      .references(() => vmInstance.id, { onDelete: 'restrict' }),
    token: bigint({ mode: 'number' }).notNull(),
    hostId: uuid()
      .notNull()
      .references(() => host.id, { onDelete: 'restrict' }),
    poolId: uuid()
      .notNull()
      .references(() => storagePool.id, { onDelete: 'restrict' }),
    cpuMhz: integer().notNull(),
    ramBytes: bytes().notNull(),
    diskBytes: bytes().notNull(),
    created: created(),
  },
  (table) => [
    primaryKey({ name: 'capacity_claim_pkey', columns: [table.vmId, table.token] }),
    index('capacity_claim_host_id_idx').on(table.hostId),
    index('capacity_claim_pool_id_idx').on(table.poolId),
    check(
      'capacity_claim_not_negative',
      sql`${table.cpuMhz} >= 0 and ${table.ramBytes} >= 0 and ${table.diskBytes} >= 0`,
    ),
  ],
);
