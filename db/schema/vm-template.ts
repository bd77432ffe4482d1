import { sql } from 'drizzle-orm';
import { boolean, check, index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { IMAGE_FORMATS } from '../../shared/images.js';
import { account } from './account.js';
import { bytes, created, id, removed, sortKey } from './columns.js';
import { guestOs } from './guest-os.js';

/** `Registering` until a host has validated the URL; only an `Active` template is listed and deployed. */
export const TEMPLATE_STATES = ['Registering', 'Active', 'Inactive'] as const;

export const vmTemplate = pgTable(
  'vm_template',
  {
    id: id(),
    name: text().notNull(),
    displayText: text().notNull(),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    guestOsId: uuid().references(() => guestOs.id, { onDelete: 'restrict' }),
    state: text({ enum: TEMPLATE_STATES }).notNull().default('Registering'),
    type: text({ enum: ['USER', 'SYSTEM', 'ROUTING'] })
      .notNull()
      .default('USER'),
    format: text({ enum: IMAGE_FORMATS }).notNull(),
    hypervisorType: text().notNull().default('KVM'),
    arch: text().notNull().default('x86_64'),
    bits: integer().notNull().default(64),
    /** The whole URL, encrypted with the installation's key: user info and query may be credentials. */
    urlEncrypted: text().notNull(),
    /** The URL without user info and query, for people. */
    url: text().notNull(),
    /** `{ALGORITHM}hash`. */
    checksum: text(),
    directDownload: boolean().notNull().default(false),
    isPublic: boolean().notNull().default(false),
    isFeatured: boolean().notNull().default(false),
    isExtractable: boolean().notNull().default(false),
    requiresHvm: boolean().notNull().default(true),
    /** Whether an ISO says that a machine can start from it; true for every disk. */
    bootable: boolean().notNull().default(true),
    /** Grows with every refresh: copies on pools carry the generation they were made from. */
    generation: integer().notNull().default(1),
    /** As the probe found it: the disk's virtual size for qcow2, else the file's. */
    sizeBytes: bytes(),
    sortKey: sortKey(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    index('vm_template_account_id_idx').on(table.accountId),
    // How many there are of an account.
    index('vm_template_usage_idx')
      .on(table.accountId)
      .where(sql`removed is null`),
    index('vm_template_guest_os_id_idx').on(table.guestOsId),
    // A page of a list in its order, of templates and of ISOs.
    index('vm_template_listed_idx')
      .on(table.sortKey, table.created, table.id)
      .where(sql`removed is null and state = 'Active' and format <> 'ISO'`),
    index('vm_template_listed_isos_idx')
      .on(table.sortKey, table.created, table.id)
      .where(sql`removed is null and state = 'Active' and format = 'ISO'`),
    // What everybody sees.
    index('vm_template_public_idx')
      .on(table.sortKey, table.created, table.id)
      .where(sql`removed is null and state = 'Active' and is_public`),
    check('vm_template_state_check', sql`${table.state} in ('Registering', 'Active', 'Inactive')`),
  ],
);
