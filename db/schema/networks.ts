import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id, removed } from './columns.js';
import { dataCenter } from './data-center.js';

/**
 * `L2`: a bridge of the hosts, with a VLAN or without; addresses are somebody else's business. `User`: QEMU's own
 * network behind the host's address, for a laptop; nothing reaches the guest from outside.
 */
export const NETWORK_TYPES = ['L2', 'User'] as const;

export const networks = pgTable(
  'networks',
  {
    id: id(),
    name: text().notNull(),
    displayText: text().notNull(),
    guestType: text({ enum: NETWORK_TYPES }).notNull(),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    /** Of whom it may be used; of everybody when it is missing. */
    accountId: uuid().references(() => account.id, { onDelete: 'restrict' }),
    /** IEEE 802.1Q; missing for the untagged network of the bridge. */
    vlan: integer(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    index('networks_data_center_id_idx').on(table.dataCenterId),
    index('networks_account_id_idx').on(table.accountId),
    uniqueIndex('networks_user_of_data_center_key')
      .on(table.dataCenterId)
      .where(sql`guest_type = 'User' and removed is null`),
    check('networks_guest_type_check', sql`${table.guestType} in ('L2', 'User')`),
    check(
      'networks_vlan_check',
      sql`${table.vlan} is null or (${table.vlan} between 1 and 4094 and ${table.guestType} = 'L2')`,
    ),
  ],
);
