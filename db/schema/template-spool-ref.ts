import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { ToldLimits } from '../../shared/download-settings.js';
import { bytes, created, id, instant } from './columns.js';
import { host } from './host.js';
import { storagePool } from './storage-pool.js';
import { vmTemplate } from './vm-template.js';

export const SPOOL_STATES = ['Allocated', 'Downloading', 'Ready', 'Evicting', 'Superseded'] as const;

/**
 * Gives each try an epoch that no try has had before, also when the row of the earlier ones is gone: a host that only
 * seemed dead may still write to a file of that name.
 */
export const templateSpoolRefEpoch = pgSequence('template_spool_ref_epoch_seq');

/** A template's copy on a pool, or the download that will become one. */
export const templateSpoolRef = pgTable(
  'template_spool_ref',
  {
    id: id(),
    poolId: uuid()
      .notNull()
      .references(() => storagePool.id, { onDelete: 'restrict' }),
    templateId: uuid()
      .notNull()
      .references(() => vmTemplate.id, { onDelete: 'restrict' }),
    generation: integer().notNull(),
    /** The try that is allowed to install. Files of other epochs are orphans. */
    epoch: integer().notNull().default(0),
    /** The epoch that `nextEpoch` left last: a repeated try of it must not open another one. */
    previousEpoch: integer(),
    /** The epoch whose partial file the present one begins with: until it has, nobody must sweep that. */
    takenOverEpoch: integer(),
    state: text({ enum: SPOOL_STATES }).notNull().default('Allocated'),
    downloadState: text({ enum: ['NOT_DOWNLOADED', 'DOWNLOAD_IN_PROGRESS', 'DOWNLOADED'] })
      .notNull()
      .default('NOT_DOWNLOADED'),
    /** Somebody waits, or has waited, for it: it is not brought ahead of time only, and has precedence in its host's queue. */
    isWanted: boolean().notNull().default(false),
    /** Its download waits for one of the transfer slots of its host. */
    isQueued: boolean().notNull().default(false),
    /** The host that downloads. */
    hostId: uuid().references(() => host.id, { onDelete: 'restrict' }),
    /** The limits that its host was last told of: at its begin, or since. */
    bandwidth: jsonb().$type<ToldLimits>(),
    /** Progress, at most one update a second. */
    downloadPct: integer().notNull().default(0),
    downloadedBytes: bytes().notNull().default(0),
    bytesPerSecond: bytes().notNull().default(0),
    downloadSource: text(),
    /** File name below the pool; set together with Ready. */
    installPath: text(),
    /** Virtual size of the disk. */
    sizeBytes: bytes(),
    physicalSizeBytes: bytes(),
    /** What it counts for on its pool: the size that is expected, and once it is Ready what it takes. */
    reservedBytes: bytes().notNull().default(0),
    /** The id of a copy that a disk may stand on, which `volumes` refers to; NULL in any other state. */
    usableId: uuid().generatedAlwaysAs(sql`case when state in ('Ready', 'Superseded') then id end`),
    /** Since when nothing uses it, as whoever evicts has noticed. */
    unusedSince: instant(),
    /** When a host last refused to remove it, for a disk that nobody knows stands on it. */
    evictionRefused: instant(),
    created: created(),
    lastUpdated: instant().notNull().defaultNow(),
  },
  (table) => [
    // Two downloads of the same bytes to one pool must never be. A new generation comes beside the old one.
    uniqueIndex('template_spool_ref_pool_id_template_id_generation_key')
      .on(table.poolId, table.templateId, table.generation)
      .where(sql`state not in ('Superseded', 'Evicting')`),
    // Only one of them is what new disks stand on.
    uniqueIndex('template_spool_ref_pool_id_template_id_ready_key')
      .on(table.poolId, table.templateId)
      .where(sql`state = 'Ready'`),
    unique('template_spool_ref_usable_id_key').on(table.usableId),
    index('template_spool_ref_template_id_idx').on(table.templateId),
    index('template_spool_ref_host_id_idx').on(table.hostId),
    check(
      'template_spool_ref_state_check',
      sql`${table.state} in ('Allocated', 'Downloading', 'Ready', 'Evicting', 'Superseded')`,
    ),
    check('template_spool_ref_reserved_bytes_not_negative', sql`${table.reservedBytes} >= 0`),
    check('template_spool_ref_ready_is_installed', sql`${table.state} <> 'Ready' or ${table.installPath} is not null`),
  ],
);
