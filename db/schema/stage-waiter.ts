import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { Failure } from '../../shared/failures.js';
import { created } from './columns.js';
import { templateSpoolRef } from './template-spool-ref.js';

/** A workflow that waits for a template on a pool. A workflow waits for one stage at a time. */
export const stageWaiter = pgTable(
  'stage_waiter',
  {
    workflowId: text().primaryKey(),
    spoolRefId: uuid().references(() => templateSpoolRef.id, { onDelete: 'set null' }),
    /** Of the copy, which is gone when it failed. Missing for one that waits for space. */
    generation: integer(),
    state: text({ enum: ['Waiting', 'Ready', 'Failed'] })
      .notNull()
      .default('Waiting'),
    failure: jsonb().$type<Failure>(),
    created: created(),
  },
  (table) => [
    index('stage_waiter_spool_ref_id_idx').on(table.spoolRefId),
    check('stage_waiter_failed_has_reason', sql`(${table.state} = 'Failed') = (${table.failure} is not null)`),
  ],
);
