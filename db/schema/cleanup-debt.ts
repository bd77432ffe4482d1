import { bigint, boolean, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { created } from './columns.js';
import { host } from './host.js';
import { vmInstance } from './vm-instance.js';

/** Undo that a host did not answer to. It pays before it is Up again; until then the claim stays. */
export const cleanupDebt = pgTable(
  'cleanup_debt',
  {
    vmId: uuid()
      .notNull()
      .references(() => vmInstance.id, { onDelete: 'restrict' }),
    /** Token of the claim that is to be undone. */
    token: bigint({ mode: 'number' }).notNull(),
    hostId: uuid()
      .notNull()
      .references(() => host.id, { onDelete: 'restrict' }),
    reason: text().notNull(),
    /** The domain alone is to end; the disk of a VM that can be recovered stays. */
    keepsDisk: boolean().notNull().default(false),
    created: created(),
  },
  (table) => [
    primaryKey({ name: 'cleanup_debt_pkey', columns: [table.vmId, table.token] }),
    index('cleanup_debt_host_id_idx').on(table.hostId),
  ],
);
