import { sql } from 'drizzle-orm';
import { check, index, integer, jsonb, pgTable, smallint, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { account } from './account.js';
import { created, instant } from './columns.js';
import { user } from './user.js';

/** CloudStack's job states. */
export const JOB_STATUS = { inProgress: 0, succeeded: 1, failed: 2, cancelled: 3 } as const;

/**
 * The row first, then the workflow: a job that was answered to a client exists, whatever dies in between. `id` is the
 * caller's `customjobid` when given.
 */
export const asyncJob = pgTable(
  'async_job',
  {
    id: uuid().primaryKey().defaultRandom(),
    accountId: uuid()
      .notNull()
      .references(() => account.id, { onDelete: 'restrict' }),
    userId: uuid()
      .notNull()
      .references(() => user.id, { onDelete: 'restrict' }),
    jobCmd: text().notNull(),
    workflowType: text().notNull(),
    workflowId: text().notNull(),
    /** The workflow's only argument: what is needed to start it again when nobody did. */
    workflowInput: jsonb().$type<Record<string, unknown>>().notNull(),
    runId: text(),
    jobStatus: smallint().notNull().default(0),
    jobResultCode: integer().notNull().default(0),
    jobResult: jsonb().$type<Record<string, unknown>>(),
    instanceType: text().notNull(),
    instanceId: uuid(),
    created: created(),
    completed: instant(),
  },
  (table) => [
    // One running job per thing: the second caller is told at once that the resource is busy.
    uniqueIndex('async_job_workflow_id_running_key')
      .on(table.workflowId)
      .where(sql`job_status = 0`),
    // A page of a list in its order, and how many there are, of one account and of all.
    index('async_job_account_id_created_id_idx').on(table.accountId, table.created, table.id),
    index('async_job_created_id_idx').on(table.created, table.id),
    index('async_job_user_id_idx').on(table.userId),
    index('async_job_instance_id_idx').on(table.instanceId),
    // Old ones are looked for all the time, to be purged.
    index('async_job_completed_idx').on(table.completed),
    check('async_job_status_check', sql`${table.jobStatus} between 0 and 3`),
    check('async_job_completed_has_time', sql`(${table.jobStatus} = 0) = (${table.completed} is null)`),
  ],
);
