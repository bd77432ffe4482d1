import { and, eq, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import { columnsOf } from '../../../db/columns-of.js';
import { stageWaiter, templateSpoolRef, vmInstance, volumes } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import { templateKey } from '../../../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../../../shared/task-queues.js';
import type { Failure } from '../../../shared/failures.js';
import type { StageRequest, StageTemplateInput, StageUse } from '../../../shared/templates.js';
import { stageWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { findTemplate, lockCopy, NoSpaceError } from './lock-copy.js';
import { makeRoom } from './make-room.js';
import { takeReadyCopy, waitWithOthers } from './quick-join.js';

export type JoinStageResult =
  | { outcome: 'ready'; installPath: string }
  | { outcome: 'waiting'; lookWithinMs?: number }
  | { outcome: 'failed'; failure: Failure };

/** Of a stage that was terminated `wakeForgotten` tells long before. A thousand waiters that look are dear. */
const WAITING = { outcome: 'waiting', lookWithinMs: 300_000 } as const;
/** An eviction that takes too long is no longer worth waiting for, and nobody tells of that. */
const LOOK_FOR_ROOM_MS = 20_000;

/**
 * Single flight: one download per pool and template, however many wait. The waiter's row is there before the stage can
 * end, since both lock the copy's row; a waiter that was not signalled finds the outcome here when its timer wakes it.
 * Calling it again is how a waiter looks.
 */
export const joinStage =
  (dependencies: ControlDependencies) =>
  async (request: StageRequest): Promise<JoinStageResult> => {
    const { db, client } = dependencies;
    const quickly = await joinQuickly(db, request);
    if (quickly) return quickly;
    const joined = await db
      .transaction((tx) => join(tx, request))
      .catch((error: unknown) => waitForRoom(dependencies, request, error));
    if (joined.outcome !== 'staging') return joined;
    const { poolId, templateId, templateName, hostId, hostName, accountId, use } = request;
    const { generation } = joined;
    const input: StageTemplateInput = {
      spoolRefId: joined.spoolRefId,
      poolId,
      templateId,
      generation,
      preferredHostId: hostId,
      accountId,
      isPrestaged: use.type === 'prestage' && !joined.isWanted,
    };
    const options = {
      workflowId: stageWorkflowId(poolId, templateId, generation),
      workflowIdConflictPolicy: 'USE_EXISTING' as const,
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
      typedSearchAttributes: [{ key: templateKey, value: templateId }],
      staticSummary: `bring template ${templateName} to a pool of ${hostName}`,
    };
    const isToldAlready = input.isPrestaged || joined.isWanted;
    // A thousand who want the same need not ask Temporal for it each. When who began the copy has died since, or its stage
    // was terminated, one of them begins it when he looks a second time.
    if (isToldAlready && joined.isFirstLook && !joined.isNew) return WAITING;
    if (isToldAlready && joined.isBegun) {
      await client.workflow.start('stageTemplate', options);
    } else {
      // Until its stage has begun also who waits for it already: one of this id that has given up another copy, and closes
      // a moment later, would take a mere start for its own, and nobody would bring this copy.
      await client.workflow.signalWithStart('stageTemplate', {
        ...options,
        signal: 'stageWanted',
        signalArgs: [input],
      });
    }
    if (!isToldAlready) {
      // Only now: a repeated try must tell it again. Of a thousand who wait for it few do.
      await db.update(templateSpoolRef).set({ isWanted: true }).where(eq(templateSpoolRef.id, joined.spoolRefId));
    }
    return WAITING;
  };

/** `spoolRefId` is the copy that a stage makes: there is none while there is no space for one. */
type Joined = JoinStageResult | ({ outcome: 'staging' } & Staging);

interface Staging {
  spoolRefId: string;
  generation: number;
  isWanted: boolean;
  isBegun: boolean;
  isNew: boolean;
  isFirstLook: boolean;
}

/** Before another host is tried, unused templates make room: the deployment waits for one as it waits for a stage. */
async function waitForRoom(
  dependencies: ControlDependencies,
  { workflowId, poolId, templateId, templateName }: StageRequest,
  error: unknown,
): Promise<Joined> {
  if (!(error instanceof NoSpaceError)) throw error;
  // Given back since: the retry of this activity finds it.
  if (error.lackingBytes <= 0) throw new Error('The pool has space again');
  const room = await makeRoom(dependencies, { poolId, templateId, lackingBytes: error.lackingBytes });
  if (!room) throw new SlipwayError('SLIPWAY_POOL_FULL', `The pool has no space left for template ${templateName}`);
  const waiter = { spoolRefId: room.spoolRefId, generation: null, state: 'Waiting' as const, failure: null };
  await dependencies.db
    .insert(stageWaiter)
    .values({ workflowId, ...waiter })
    .onConflictDoUpdate({ target: stageWaiter.workflowId, set: waiter });
  return { outcome: 'waiting', lookWithinMs: LOOK_FOR_ROOM_MS };
}

/** What nearly all do, who wait for what somebody else has begun. */
async function joinQuickly(db: Database, request: StageRequest): Promise<JoinStageResult | undefined> {
  const { use, hasWaited } = request;
  if (hasWaited && use.type === 'rootDisk') {
    const installPath = await takeReadyCopy(db, { ...request, ...use });
    if (installPath !== null) return { outcome: 'ready', installPath };
  }
  if (!hasWaited && use.type !== 'prestage' && (await waitWithOthers(db, request))) return WAITING;
  return undefined;
}

async function join(tx: Transaction, request: StageRequest): Promise<Joined> {
  const { workflowId, poolId, use } = request;
  const template = await findTemplate(tx, request.templateId);
  if (use.type === 'prestage' && template.removed !== null) {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${template.name} is deleted`);
  }
  const [waiter] = await tx
    .select(columnsOf(stageWaiter, 'state', 'generation', 'failure'))
    .from(stageWaiter)
    .where(eq(stageWaiter.workflowId, workflowId));
  const isOutdated = waiter?.generation != null && waiter.generation < template.generation;
  if (waiter?.state === 'Failed' && waiter.failure && !isOutdated) {
    // The row stays until the deployment leaves: a repeated try would begin the download again. Only what failed before
    // the template was refreshed is worth another one.
    return { outcome: 'failed', failure: waiter.failure };
  }
  const copy = await lockCopy(tx, request, template);
  if ((copy.state === 'Ready' || copy.state === 'Superseded') && copy.installPath) {
    await refer(tx, use, { poolId, templateId: request.templateId, spoolRefId: copy.id });
    await tx.delete(stageWaiter).where(eq(stageWaiter.workflowId, workflowId));
    return { outcome: 'ready', installPath: copy.installPath };
  }
  const waiting = { spoolRefId: copy.id, generation: copy.generation, state: 'Waiting' as const, failure: null };
  await tx
    .insert(stageWaiter)
    .values({ workflowId, ...waiting })
    .onConflictDoUpdate({ target: stageWaiter.workflowId, set: waiting });
  const { id: spoolRefId, generation, isWanted, isNew, state } = copy;
  const isBegun = state !== 'Allocated';
  const isFirstLook = waiter === undefined;
  return { outcome: 'staging', spoolRefId, generation, isWanted, isBegun, isNew, isFirstLook };
}

/** Before the disk is made, or the ISO is in a drive: from here on the copy cannot be evicted. */
async function refer(
  tx: Transaction,
  use: StageUse,
  { poolId, templateId, spoolRefId }: { poolId: string; templateId: string; spoolRefId: string },
): Promise<void> {
  if (use.type === 'rootDisk') {
    await tx
      .update(volumes)
      .set({ poolId, templateSpoolRefId: spoolRefId, token: use.token })
      // One that is there stands on what it was made from, whatever workflow was reset since.
      .where(and(eq(volumes.id, use.volumeId), eq(volumes.state, 'Allocated')));
  }
  if (use.type === 'iso') {
    await tx
      .update(vmInstance)
      .set({ isoId: templateId, isoSpoolRefId: spoolRefId })
      .where(eq(vmInstance.id, use.vmId));
  }
  if (use.type === 'prestage') {
    // It is kept from now on for as long as one that has just fallen out of use.
    await tx
      .update(templateSpoolRef)
      .set({ unusedSince: sql`now()` })
      .where(eq(templateSpoolRef.id, spoolRefId));
  }
}
