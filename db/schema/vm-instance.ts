import { sql } from 'drizzle-orm';
import { bigint, check, index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, id, instant, removed, texts } from './columns.js';
import { dataCenter } from './data-center.js';
import { host } from './host.js';
import { serviceOffering } from './service-offering.js';
import { templateSpoolRef } from './template-spool-ref.js';
import { vmTemplate } from './vm-template.js';

export const VM_STATES = [
  'Starting',
  'Running',
  'Stopping',
  'Stopped',
  'Destroyed',
  'Expunging',
  'Expunged',
  'Error',
] as const;
export type VmState = (typeof VM_STATES)[number];

export const vmInstance = pgTable(
  'vm_instance',
  {
    id: id(),
    name: text().notNull(),
    displayName: text().notNull(),
    /** The libvirt domain's name. */
    instanceName: text().notNull().unique('vm_instance_instance_name_key'),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    templateId: uuid()
      .notNull()
      .references(() => vmTemplate.id, { onDelete: 'restrict' }),
    serviceOfferingId: uuid()
      .notNull()
      .references(() => serviceOffering.id, { onDelete: 'restrict' }),
    hostId: uuid().references(() => host.id, { onDelete: 'restrict' }),
    lastHostId: uuid().references(() => host.id, { onDelete: 'restrict' }),
    state: text({ enum: VM_STATES }).notNull(),
    /** Why it is in Error, in the words of the job: as root admins are told, and as everybody else is. */
    errorText: text(),
    errorOwnerText: text(),
    hypervisorType: text().notNull().default('KVM'),
    /** Grows with every operation on a host; hosts refuse lower ones (design, Fence). */
    fenceToken: bigint({ mode: 'number' }).notNull().default(0),
    /** The ISO in its CD-ROM drive. For a VM that was installed from one, that is `templateId` too at first. */
    isoId: uuid().references(() => vmTemplate.id, { onDelete: 'restrict' }),
    /** The copy of that ISO on the pool of the root disk; as `volumes.template_spool_ref_id`. */
    isoSpoolRefId: uuid().references(() => templateSpoolRef.usableId, { onDelete: 'restrict', onUpdate: 'restrict' }),
    /** What the guest reads at its first boot: encrypted, it may hold passwords. The bytes, in base64. */
    userDataEncrypted: text(),
    /** Their text at the time of the deployment: a key pair that is deleted stays in the VM. */
    sshPublicKeys: texts(),
    keyPairNames: texts(),
    /** How often it was given other keys: a guest reads them once for each time that it is told to be a new one. */
    keyResets: integer().notNull().default(0),
    /** Of its VNC display; encrypted. */
    vncPasswordEncrypted: text(),
    /** Since when it is Destroyed or in Error: it is expunged when `expunge.delay` is over. */
    ended: instant(),
    created: created(),
    removed: removed(),
  },
  (table) => [
    index('vm_instance_account_id_idx').on(table.accountId),
    // A page of a list in its order, and how many there are, of one account and of all.
    index('vm_instance_account_id_created_id_idx')
      .on(table.accountId, table.created, table.id)
      .where(sql`state <> 'Expunged'`),
    index('vm_instance_created_id_idx')
      .on(table.created, table.id)
      .where(sql`state <> 'Expunged'`),
    // What there is of an account, without a look at the table (read-usage).
    index('vm_instance_usage_idx')
      .on(table.accountId, table.state, table.serviceOfferingId, table.id)
      .where(sql`state <> 'Expunged'`),
    index('vm_instance_data_center_id_idx').on(table.dataCenterId),
    index('vm_instance_template_id_idx').on(table.templateId),
    index('vm_instance_service_offering_id_idx').on(table.serviceOfferingId),
    index('vm_instance_iso_id_idx').on(table.isoId),
    index('vm_instance_iso_spool_ref_id_idx').on(table.isoSpoolRefId),
    index('vm_instance_removed_idx')
      .on(table.removed)
      .where(sql`removed is not null`),
    index('vm_instance_host_id_idx').on(table.hostId),
    index('vm_instance_last_host_id_idx').on(table.lastHostId),
    check(
      'vm_instance_state_check',
      sql`${table.state} in ('Starting', 'Running', 'Stopping', 'Stopped', 'Destroyed', 'Expunging', 'Expunged', 'Error')`,
    ),
    check(
      'vm_instance_ended_has_time',
      sql`${table.state} not in ('Destroyed', 'Error') or ${table.ended} is not null`,
    ),
    check('vm_instance_copy_is_of_iso', sql`${table.isoSpoolRefId} is null or ${table.isoId} is not null`),
    check('vm_instance_running_has_host', sql`${table.state} <> 'Running' or ${table.hostId} is not null`),
  ],
);
