import { sql } from 'drizzle-orm';
import { bigint, check, foreignKey, index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { cluster } from './cluster.js';
import { bytes, created, id, instant, removed, texts } from './columns.js';
import { dataCenter } from './data-center.js';
import { hostPodRef } from './host-pod-ref.js';

/** `Revoked`: an operator trusts it with nothing any more, and it has no key. */
export const HOST_STATUSES = ['Connecting', 'Up', 'Down', 'Alert', 'Revoked', 'Removed'] as const;

/**
 * CloudStack's names. Only an `Enabled` host gets work. `Degraded`: an operator vouches that nothing runs there any more,
 * and until that is taken back, and the host was seen again, its virtual machines may be started elsewhere.
 */
export const HOST_RESOURCE_STATES = [
  'Enabled',
  'Disabled',
  'PrepareForMaintenance',
  'ErrorInMaintenance',
  'Maintenance',
  'Degraded',
] as const;

export const host = pgTable(
  'host',
  {
    id: id(),
    name: text().notNull(),
    dataCenterId: uuid()
      .notNull()
      .references(() => dataCenter.id, { onDelete: 'restrict' }),
    podId: uuid()
      .notNull()
      .references(() => hostPodRef.id, { onDelete: 'restrict' }),
    clusterId: uuid()
      .notNull()
      .references(() => cluster.id, { onDelete: 'restrict' }),
    type: text().notNull().default('Routing'),
    hypervisorType: text().notNull().default('KVM'),
    status: text({ enum: HOST_STATUSES }).notNull().default('Connecting'),
    resourceState: text({ enum: HOST_RESOURCE_STATES }).notNull().default('Enabled'),
    tags: texts(),
    arch: text().notNull().default('x86_64'),
    cpus: integer().notNull().default(0),
    speedMhz: integer().notNull().default(0),
    ramBytes: bytes().notNull().default(0),
    /** Claimed by virtual machines, `capacity_claim` having the parts. */
    cpuUsedMhz: integer().notNull().default(0),
    ramUsedBytes: bytes().notNull().default(0),
    /** Base64 X25519 key of the host: sealed fields for it are encrypted to this key. One that was revoked has none. */
    publicKey: text(),
    /** Start of the host worker that was last heard of. */
    bootId: text(),
    /** The address that it reaches Temporal from; missing from a host worker that is too old to tell. */
    privateIpAddress: text(),
    domainType: text({ enum: ['kvm', 'qemu'] }),
    hypervisorVersion: text(),
    libvirtVersion: text(),
    /** Of Slipway; missing from a host worker that is too old to tell. */
    slipwayVersion: text(),
    /** How that differs from what the control workers run, in words; missing while it does not matter. */
    versionSkew: text(),
    /** Programs and libraries that it lacks for some images or networks. */
    missingTools: texts(),
    lastPinged: instant(),
    /** When the last word of its life that counts was sent, in milliseconds by the clock of `hostLifecycle`. */
    lastWordMs: bigint({ mode: 'number' }),
    /** What its certificates were when it last said: see `KeystoreReport`. Missing before the first time. */
    keystoreGeneration: bigint({ mode: 'number' }),
    keystoreDigest: text(),
    /** The latest generation of the zone whose set it has confirmed, but for what it could not use. */
    keystoreConfirmed: bigint({ mode: 'number' }),
    /** When what it has was last compared with the database, and the start of the host worker that told. */
    reconciled: instant(),
    reconciledBootId: text(),
    created: created(),
    removed: removed(),
    /** The cluster while the host is there: it cannot be removed under it. */
    presentClusterId: uuid()
      .generatedAlwaysAs(sql`case when removed is null then cluster_id end`)
      .references(() => cluster.presentId, { onDelete: 'restrict', onUpdate: 'restrict' }),
  },
  (table) => [
    uniqueIndex('host_name_key')
      .on(table.name)
      .where(sql`removed is null`),
    // Of the pod and the zone that its cluster is in.
    foreignKey({
      name: 'host_cluster_id_pod_id_data_center_id_fk',
      columns: [table.clusterId, table.podId, table.dataCenterId],
      foreignColumns: [cluster.id, cluster.podId, cluster.dataCenterId],
    }).onDelete('restrict'),
    index('host_data_center_id_idx').on(table.dataCenterId),
    index('host_pod_id_idx').on(table.podId),
    index('host_cluster_id_idx').on(table.clusterId),
    check('host_status_check', sql`${table.status} in ('Connecting', 'Up', 'Down', 'Alert', 'Revoked', 'Removed')`),
    // Whatever still asks for the key of a revoked host must not get one.
    check(
      'host_public_key_check',
      sql`case ${table.status} when 'Revoked' then ${table.publicKey} is null when 'Removed' then true else ${table.publicKey} is not null end`,
    ),
    check(
      'host_resource_state_check',
      sql`${table.resourceState} in ('Enabled', 'Disabled', 'PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance', 'Degraded')`,
    ),
    check('host_cpu_used_mhz_not_negative', sql`${table.cpuUsedMhz} >= 0`),
    check('host_ram_used_bytes_not_negative', sql`${table.ramUsedBytes} >= 0`),
  ],
);
