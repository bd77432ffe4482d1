import { sql } from 'drizzle-orm';
import { bigint, check, pgTable, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { created, id, removed, sortKey } from './columns.js';

/** A zone. */
export const dataCenter = pgTable(
  'data_center',
  {
    id: id(),
    name: text().notNull(),
    networktype: text({ enum: ['Basic', 'Advanced'] })
      .notNull()
      .default('Advanced'),
    allocationState: text({ enum: ['Enabled', 'Disabled'] })
      .notNull()
      .default('Enabled'),
    /** What an operator notes of the zone's networks, in CloudStack's words; Slipway hands out no addresses. */
    dns1: text(),
    dns2: text(),
    ip6Dns1: text(),
    ip6Dns2: text(),
    internalDns1: text(),
    internalDns2: text(),
    guestNetworkCidr: text(),
    domain: text(),
    /** Grows with each change of what hosts are to trust; a host refuses an older set than it has. */
    certificateGeneration: bigint({ mode: 'number' }).notNull().default(0),
    sortKey: sortKey(),
    created: created(),
    removed: removed(),
    /** The id while it is there. What is in it refers to this: it cannot be removed under anything, nor anything added to it. */
    presentId: uuid().generatedAlwaysAs(sql`case when removed is null then id end`),
  },
  (table) => [
    uniqueIndex('data_center_name_key')
      .on(table.name)
      .where(sql`removed is null`),
    unique('data_center_present_id_key').on(table.presentId),
    check('data_center_allocation_state_check', sql`${table.allocationState} in ('Enabled', 'Disabled')`),
  ],
);
