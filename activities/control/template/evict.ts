import { and, eq, inArray, isNull, ne, notExists, notInArray, sql } from 'drizzle-orm';
import { isMaintained } from '../../../db/pool-sql.js';
import {
  host,
  stageWaiter,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  vmTemplate,
} from '../../../db/schema/index.js';
import { templateKey } from '../../../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../../../shared/task-queues.js';
import type { EvictionPlan, EvictTemplateCopyInput } from '../../../shared/templates.js';
import { evictionWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { nameSome } from '../name-some.js';
import { recordEvent } from '../record-event.js';
import { forgetEvictedCopy } from './template-space.js';
import { isUnused, isWhole } from './unused-copies.js';
import { wakeWaiters } from './wake-waiters.js';

/**
 * Takes a copy that nothing uses out of use: nobody joins it from here on, and a deployment that wants the template
 * begins another one. Its file is removed by the workflow, which `startEviction` starts.
 *
 * @returns false when it is used, not there any more, or on a pool in maintenance
 */
export const beginEviction = ({ db }: Pick<ControlDependencies, 'db'>, spoolRefId: string): Promise<boolean> =>
  db.transaction(async (tx) => {
    // As `joinStage` locks it. Asked in one statement, an update that waited for that lock would look for volumes as
    // they were before it waited.
    await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, spoolRefId)).for('update');
    const maintained = tx
      .select({ one: sql`1` })
      .from(storagePool)
      .where(and(eq(storagePool.id, templateSpoolRef.poolId), isMaintained));
    const evicting = await tx
      .update(templateSpoolRef)
      .set({ state: 'Evicting', lastUpdated: sql`now()` })
      .where(and(eq(templateSpoolRef.id, spoolRefId), isWhole, isUnused(tx), notExists(maintained)))
      .returning({ id: templateSpoolRef.id });
    return evicting.length > 0;
  });

/** Starts the workflow that removes a copy. Done twice it changes nothing. */
export async function startEviction(
  { client }: Pick<ControlDependencies, 'client'>,
  { id, templateId }: { id: string; templateId: string },
): Promise<void> {
  const input: EvictTemplateCopyInput = { spoolRefId: id };
  await client.workflow.start('evictTemplateCopy', {
    workflowId: evictionWorkflowId(id),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: CONTROL_TASK_QUEUE,
    args: [input],
    typedSearchAttributes: [{ key: templateKey, value: templateId }],
    staticSummary: `remove an unused copy of template ${templateId} from its pool`,
  });
}

export type PlanEvictionResult =
  | { outcome: 'planned'; plan: EvictionPlan }
  | { outcome: 'no host' }
  /** The copy is gone, or in use again: somebody started this workflow once too often. */
  | { outcome: 'obsolete' };

/** An Up host of the pool that has not been tried. */
export const planEviction =
  ({ db }: ControlDependencies) =>
  async ({
    spoolRefId,
    excludedHostIds,
  }: EvictTemplateCopyInput & { excludedHostIds: string[] }): Promise<PlanEvictionResult> => {
    const copy = await evictingCopy(db, spoolRefId);
    if (!copy) return { outcome: 'obsolete' };
    const { spool, poolName, templateName } = copy;
    const [reader] = await db
      .select({ hostId: host.id, hostName: host.name })
      .from(storagePoolHostRef)
      .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
      .where(
        and(
          eq(storagePoolHostRef.poolId, spool.poolId),
          eq(host.status, 'Up'),
          isNull(host.removed),
          excludedHostIds.length > 0 ? notInArray(host.id, excludedHostIds) : undefined,
        ),
      )
      .orderBy(sql`${storagePoolHostRef.problem} is null desc`, host.name)
      .limit(1);
    if (!reader) return { outcome: 'no host' };
    const { poolId, templateId, generation, epoch } = spool;
    const plan = { ...reader, poolId, poolName, templateName, copy: { templateId, generation, epoch } };
    return { outcome: 'planned', plan };
  };

/** The file is gone: so is the row, and the pool has its space back. */
export const recordEvicted =
  (dependencies: ControlDependencies) =>
  async ({ spoolRefId, usedBytes }: EvictTemplateCopyInput & { usedBytes: number }): Promise<void> => {
    const waiters = await dependencies.db.transaction(async (tx) => {
      const copy = await lockEvictingCopy(tx, spoolRefId);
      if (!copy) return [];
      const { spool, poolName, templateName, accountId } = copy;
      // Before the row goes, and what they refer to with it.
      const told = await waitersOf(tx, spoolRefId);
      await forgetEvictedCopy(tx, spool);
      await tx.update(storagePool).set({ usedBytes }).where(eq(storagePool.id, spool.poolId));
      await recordEvent(tx, {
        type: 'TEMPLATE.EVICT',
        level: 'INFO',
        description: `Template ${templateName} was removed from pool ${poolName}: nothing used it there`,
        ownerDescription: `Template ${templateName} was removed from primary storage: nothing used it there`,
        accountId,
        resourceType: 'Template',
        resourceId: spool.templateId,
      });
      return told;
    });
    await wakeWaiters(dependencies, waiters);
  };

/** Something stands on the copy that the database does not know: it stays, and somebody has to look. */
export const keepCopy =
  (dependencies: ControlDependencies) =>
  async ({ spoolRefId, overlays }: EvictTemplateCopyInput & { overlays: string[] }): Promise<void> => {
    const waiters = await dependencies.db.transaction(async (tx) => {
      const copy = await lockEvictingCopy(tx, spoolRefId);
      if (!copy) return [];
      const { spool, poolName, templateName } = copy;
      // A deployment may have begun another one meanwhile, which the unique index takes for the pool's copy.
      const [newer] = await tx
        .select()
        .from(templateSpoolRef)
        .where(
          and(
            eq(templateSpoolRef.poolId, spool.poolId),
            eq(templateSpoolRef.templateId, spool.templateId),
            ne(templateSpoolRef.id, spoolRefId),
            inArray(templateSpoolRef.state, ['Allocated', 'Downloading', 'Ready']),
          ),
        )
        .limit(1);
      await tx
        .update(templateSpoolRef)
        .set({ state: newer ? 'Superseded' : 'Ready', evictionRefused: sql`now()` })
        .where(eq(templateSpoolRef.id, spoolRefId));
      // For root admins: files that are somebody else's are no business of the template's owner.
      await recordEvent(tx, {
        type: 'TEMPLATE.EVICT',
        level: 'ERROR',
        description:
          `Template ${templateName} stays on pool ${poolName}: files there that Slipway does not know stand on it, ` +
          `or cannot be read: ${nameSome(overlays)}`,
        resourceType: 'Template',
        resourceId: spool.templateId,
      });
      return waitersOf(tx, spoolRefId);
    });
    await wakeWaiters(dependencies, waiters);
  };

const evictingCopy = async (db: Pick<Transaction, 'select'>, spoolRefId: string) => {
  const [row] = await selectEvicting(db, spoolRefId);
  return row;
};

async function lockEvictingCopy(tx: Transaction, spoolRefId: string) {
  const [row] = await selectEvicting(tx, spoolRefId).for('update', { of: templateSpoolRef });
  return row;
}

const selectEvicting = (db: Pick<Transaction, 'select'>, spoolRefId: string) =>
  db
    .select({
      spool: templateSpoolRef,
      poolName: storagePool.name,
      templateName: vmTemplate.name,
      accountId: vmTemplate.accountId,
    })
    .from(templateSpoolRef)
    .innerJoin(storagePool, eq(storagePool.id, templateSpoolRef.poolId))
    .innerJoin(vmTemplate, eq(vmTemplate.id, templateSpoolRef.templateId))
    .where(and(eq(templateSpoolRef.id, spoolRefId), eq(templateSpoolRef.state, 'Evicting')));

/** Deployments that wait for the space. */
const waitersOf = (tx: Transaction, spoolRefId: string): Promise<{ workflowId: string }[]> =>
  tx.select({ workflowId: stageWaiter.workflowId }).from(stageWaiter).where(eq(stageWaiter.spoolRefId, spoolRefId));
