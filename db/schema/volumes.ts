import { sql } from 'drizzle-orm';
import { bigint, check, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { bytes, created, id, removed } from './columns.js';
import { diskOffering } from './disk-offering.js';
import { host } from './host.js';
import { storagePool } from './storage-pool.js';
import { templateSpoolRef } from './template-spool-ref.js';
import { vmInstance } from './vm-instance.js';
import { vmTemplate } from './vm-template.js';

export const volumes = pgTable(
  'volumes',
  {
    id: id(),
    name: text().notNull(),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    instanceId: uuid().references(() => vmInstance.id, { onDelete: 'restrict' }),
    volumeType: text({ enum: ['ROOT', 'DATADISK'] }).notNull(),
    state: text({ enum: ['Allocated', 'Ready', 'Expunged'] })
      .notNull()
      .default('Allocated'),
    templateId: uuid().references(() => vmTemplate.id, { onDelete: 'restrict' }),
    poolId: uuid().references(() => storagePool.id, { onDelete: 'restrict' }),
    /**
     * The copy that the overlay stands on. Set before the overlay is made. It refers to a column that is NULL for a copy
     * that is being evicted: none becomes that while a disk refers to it, and none that is can be referred to.
     */
    templateSpoolRefId: uuid().references(() => templateSpoolRef.usableId, {
      onDelete: 'restrict',
      onUpdate: 'restrict',
    }),
    /** Token of the try that made the file; the file's name carries it. */
    token: bigint({ mode: 'number' }),
    diskOfferingId: uuid().references(() => diskOffering.id, { onDelete: 'restrict' }),
    /** What was asked for; the template's size when missing. */
    wantedSizeBytes: bytes(),
    /** File name below the pool; set together with Ready. */
    path: text(),
    sizeBytes: bytes(),
    /** The host that was asked to make the file of a disk that is to take another's place: it may still be at it. */
    hostId: uuid().references(() => host.id, { onDelete: 'restrict' }),
    /** The disk that took its place, when a VM was restored. */
    replacedById: uuid(),
    /** What a disk counts for on its pool that is not its VM's yet, or no longer; the claim has that of the others. */
    reservedBytes: bytes().notNull().default(0),
    created: created(),
    /** A disk that is not its VM's: not yet, or no longer. Until its file is gone it is not Expunged. */
    removed: removed(),
  },
  (table) => [
    index('volumes_account_id_idx').on(table.accountId),
    // What there is of an account, without a look at the table (read-usage).
    index('volumes_usage_idx')
      .on(table.accountId, table.instanceId, table.sizeBytes, table.wantedSizeBytes, table.templateId)
      .where(sql`state <> 'Expunged'`),
    // A page of a list in its order, and how many there are, of one account and of all.
    index('volumes_account_id_created_id_idx')
      .on(table.accountId, table.created, table.id)
      .where(sql`state <> 'Expunged' and removed is null`),
    index('volumes_created_id_idx')
      .on(table.created, table.id)
      .where(sql`state <> 'Expunged' and removed is null`),
    index('volumes_instance_id_idx').on(table.instanceId),
    index('volumes_template_id_idx').on(table.templateId),
    index('volumes_pool_id_idx').on(table.poolId),
    index('volumes_disk_offering_id_idx').on(table.diskOfferingId),
    index('volumes_template_spool_ref_id_idx').on(table.templateSpoolRefId),
    index('volumes_host_id_idx').on(table.hostId),
    index('volumes_to_remove_idx')
      .on(table.id)
      .where(sql`removed is not null and state <> 'Expunged'`),
    check('volumes_reserved_bytes_not_negative', sql`${table.reservedBytes} >= 0`),
    uniqueIndex('volumes_root_of_instance_key')
      .on(table.instanceId)
      .where(sql`volume_type = 'ROOT' and removed is null`),
    check(
      'volumes_ready_has_file',
      sql`${table.state} <> 'Ready' or (${table.path} is not null and ${table.poolId} is not null)`,
    ),
  ],
);
