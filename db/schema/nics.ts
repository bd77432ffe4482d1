import { sql } from 'drizzle-orm';
import { check, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed } from './columns.js';
import { networks } from './networks.js';
import { vmInstance } from './vm-instance.js';

export const nics = pgTable(
  'nics',
  {
    id: id(),
    instanceId: uuid()
      .notNull()
      .references(() => vmInstance.id, { onDelete: 'restrict' }),
    networkId: uuid()
      .notNull()
      .references(() => networks.id, { onDelete: 'restrict' }),
    /** Lower case, with colons. */
    macAddress: text().notNull(),
    /** Its place in the VM; the first is the default one. */
    deviceId: integer().notNull(),
    created: created(),
    /** Set when the VM is expunged: its address may be given to another one then. */
    removed: removed(),
  },
  (table) => [
    index('nics_instance_id_idx').on(table.instanceId),
    index('nics_network_id_idx').on(table.networkId),
    uniqueIndex('nics_mac_address_key')
      .on(table.macAddress)
      .where(sql`removed is null`),
    uniqueIndex('nics_instance_id_device_id_key')
      .on(table.instanceId, table.deviceId)
      .where(sql`removed is null`),
    check('nics_mac_address_check', sql`${table.macAddress} ~ '^([0-9a-f]{2}:){5}[0-9a-f]{2}$'`),
  ],
);
