import { sql } from 'drizzle-orm';
import { check, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { FINDING_KINDS } from '../../shared/reconciliation.js';
import { created } from './columns.js';

/**
 * What disk, libvirt and database do not agree on, for as long as they do not: what is here already is not reported
 * again.
 */
export const reconciliationFinding = pgTable(
  'reconciliation_finding',
  {
    kind: text({ enum: FINDING_KINDS }).notNull(),
    /** The pool or the host that was looked at. It refers to neither: a removed one has no findings that matter. */
    placeId: uuid().notNull(),
    /** A file name, or the id of a VM. */
    name: text().notNull(),
    created: created(),
  },
  (table) => [
    primaryKey({ name: 'reconciliation_finding_pkey', columns: [table.placeId, table.kind, table.name] }),
    check(
      'reconciliation_finding_kind_check',
      sql`${table.kind} in ('unknownFile', 'orphanInUse', 'lostTemplate', 'lostVolume', 'unknownVm')`,
    ),
  ],
);
