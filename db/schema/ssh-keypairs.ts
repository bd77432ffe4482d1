import { index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id } from './columns.js';

/** Public halves only: the private one is shown to whoever makes it, once. */
export const sshKeypairs = pgTable(
  'ssh_keypairs',
  {
    id: id(),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    keypairName: text().notNull(),
    /** As CloudStack shows it: MD5 of the key, in pairs of hex digits with colons. */
    fingerprint: text().notNull(),
    publicKey: text().notNull(),
    created: created(),
  },
  (table) => [
    unique('ssh_keypairs_account_id_keypair_name_key').on(table.accountId, table.keypairName),
    // A page of a list in its order.
    index('ssh_keypairs_keypair_name_id_idx').on(table.keypairName, table.id),
  ],
);
