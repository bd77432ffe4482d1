import { sql } from 'drizzle-orm';
import { check, index, pgTable, text, timestamp, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { cluster } from './cluster.js';
import { created, id, instant } from './columns.js';
import { host } from './host.js';
import { user } from './user.js';

/** Lets one machine become a host of a cluster, or an existing host have another key, once. */
export const hostJoinToken = pgTable(
  'host_join_token',
  {
    id: id(),
    /** SHA-256 of the secret part, lower-case hex. The token itself is shown once and kept nowhere. */
    secretSha256: text().notNull(),
    clusterId: uuid().references(() => cluster.id, { onDelete: 'cascade' }),
    hostId: uuid().references(() => host.id, { onDelete: 'cascade' }),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => user.id, { onDelete: 'cascade' }),
    expires: timestamp({ withTimezone: true, mode: 'string' }).notNull(),
    used: instant(),
    created: created(),
  },
  (table) => [
    index('host_join_token_cluster_id_idx').on(table.clusterId),
    index('host_join_token_host_id_idx').on(table.hostId),
    index('host_join_token_account_id_idx').on(table.accountId),
    index('host_join_token_user_id_idx').on(table.userId),
    check('host_join_token_purpose_check', sql`num_nonnulls(${table.clusterId}, ${table.hostId}) = 1`),
    check('host_join_token_secret_sha256_check', sql`${table.secretSha256} ~ '^[0-9a-f]{64}$'`),
  ],
);
