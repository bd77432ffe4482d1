import { WorkflowNotFoundError } from '@temporalio/client';
import { and, eq, inArray, notInArray } from 'drizzle-orm';
import { stageWaiter, storagePool, templateSpoolRef, vmInstance, vmTemplate, volumes } from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { templateKey } from '../../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import type { Failure } from '../../shared/failures.js';
import type { StageRequest, StageTemplateInput, StageUse } from '../../shared/templates.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { makeRoom } from './make-room.js';
import { freeBytes, overprovisioningFactor } from './planner/pool-space.js';
import { reserveForCopy } from './template-space.js';

export type JoinStageResult =
  { outcome: 'ready'; installPath: string } | { outcome: 'waiting' } | { outcome: 'failed'; failure: Failure };

/**
 * Single flight: one download per pool and template, however many wait. The waiter's row is there before the stage can
 * end, since both lock the copy's row; a waiter that was not signalled finds the outcome here when its timer wakes it.
 * Calling it again is how a waiter looks.
 */
export const joinStage =
  (dependencies: ControlDependencies) =>
  async (request: StageRequest): Promise<JoinStageResult> => {
    const { db, client } = dependencies;
    const joined = await db
      .transaction((tx) => join(tx, request))
      .catch((error: unknown) => waitForRoom(dependencies, request, error));
    if (joined.outcome !== 'waiting' || joined.spoolRefId === undefined) return joined;
    const { poolId, templateId, templateName, generation, hostId, hostName, accountId, use } = request;
    const input: StageTemplateInput = {
      spoolRefId: joined.spoolRefId,
      poolId,
      templateId,
      generation,
      preferredHostId: hostId,
      accountId,
      isPrestaged: use.type === 'prestage',
    };
    await client.workflow.start('stageTemplate', {
      workflowId: stageWorkflowId(poolId, templateId, generation),
      workflowIdConflictPolicy: 'USE_EXISTING',
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
      typedSearchAttributes: [{ key: templateKey, value: templateId }],
      staticSummary: `bring template ${templateName} to a pool of ${hostName}`,
    });
    return { outcome: 'waiting' };
  };

/** `spoolRefId` is the copy that a stage makes; missing while there is no space for one yet. */
type Joined = Exclude<JoinStageResult, { outcome: 'waiting' }> | { outcome: 'waiting'; spoolRefId?: string };

/** The pool has too little space for the copy. Thrown so that nothing of it stays in the database. */
class NoSpaceError extends Error {
  readonly lackingBytes: number;
  constructor(lackingBytes: number) {
    super(`The pool lacks ${lackingBytes} bytes`);
    this.lackingBytes = lackingBytes;
  }
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
  const waiter = { spoolRefId: room.spoolRefId, state: 'Waiting' as const, failure: null };
  await dependencies.db
    .insert(stageWaiter)
    .values({ workflowId, ...waiter })
    .onConflictDoUpdate({ target: stageWaiter.workflowId, set: waiter });
  return { outcome: 'waiting' };
}

async function join(tx: Transaction, request: StageRequest): Promise<Joined> {
  const { workflowId, poolId, use } = request;
  const [waiter] = await tx.select().from(stageWaiter).where(eq(stageWaiter.workflowId, workflowId));
  if (waiter?.state === 'Failed' && waiter.failure) {
    // The row stays until the deployment leaves: a repeated try would begin the download again.
    return { outcome: 'failed', failure: waiter.failure };
  }
  const copy = await lockCopy(tx, request);
  if (copy.state === 'Ready' && copy.installPath) {
    await refer(tx, use, { poolId, spoolRefId: copy.id });
    await tx.delete(stageWaiter).where(eq(stageWaiter.workflowId, workflowId));
    return { outcome: 'ready', installPath: copy.installPath };
  }
  await tx
    .insert(stageWaiter)
    .values({ workflowId, spoolRefId: copy.id })
    .onConflictDoUpdate({
      target: stageWaiter.workflowId,
      set: { spoolRefId: copy.id, state: 'Waiting', failure: null },
    });
  return { outcome: 'waiting', spoolRefId: copy.id };
}

/** Before the disk is made, or the ISO is in a drive: from here on the copy cannot be evicted. */
async function refer(
  tx: Transaction,
  use: StageUse,
  { poolId, spoolRefId }: { poolId: string; spoolRefId: string },
): Promise<void> {
  if (use.type === 'rootDisk') {
    await tx
      .update(volumes)
      .set({ poolId, templateSpoolRefId: spoolRefId, token: use.token })
      .where(eq(volumes.id, use.volumeId));
  }
  if (use.type === 'iso') {
    await tx.update(vmInstance).set({ isoSpoolRefId: spoolRefId }).where(eq(vmInstance.id, use.vmId));
  }
}

async function lockCopy(tx: Transaction, { poolId, templateId, generation }: StageRequest) {
  const [begun] = await tx
    .insert(templateSpoolRef)
    .values({ poolId, templateId, generation })
    .onConflictDoNothing()
    .returning();
  if (begun) {
    const expected = await expectedSpace(tx, templateId);
    if (!(await reserveForCopy(tx, begun, expected))) throw new NoSpaceError(await lackingBytes(tx, poolId, expected));
  }
  const [copy] = await tx
    .select()
    .from(templateSpoolRef)
    .where(
      and(
        eq(templateSpoolRef.poolId, poolId),
        eq(templateSpoolRef.templateId, templateId),
        notInArray(templateSpoolRef.state, ['Superseded', 'Evicting']),
      ),
    )
    .for('update');
  // Deleted by a stage that failed between the two statements, or evicted: the retry of this activity begins anew.
  if (!copy) throw new Error(`The copy of template ${templateId} on pool ${poolId} has just been given up`);
  return copy;
}

async function expectedSpace(tx: Transaction, templateId: string) {
  const [template] = await tx.select().from(vmTemplate).where(eq(vmTemplate.id, templateId));
  const settings = await readSettings(tx);
  return {
    // A source that does not tell its size: what the file takes is counted once it is there.
    expectedBytes: template?.sizeBytes ?? 0,
    overprovisioning: overprovisioningFactor(settings['storage.overprovisioning.factor']),
  };
}

async function lackingBytes(
  tx: Transaction,
  poolId: string,
  { expectedBytes, overprovisioning }: { expectedBytes: number; overprovisioning: number },
): Promise<number> {
  const [pool] = await tx.select().from(storagePool).where(eq(storagePool.id, poolId));
  return expectedBytes - (pool ? freeBytes(pool, overprovisioning) : 0);
}

export type LeaveStageInput = Pick<StageRequest, 'workflowId' | 'poolId' | 'templateId' | 'generation'>;

/**
 * A deployment that no longer wants the template, or was told that it failed. The last to leave cancels the stage;
 * whether it was the last is asked of the rows each time, so that a repeated try cancels what the first one had no time
 * to.
 */
export const leaveStage =
  ({ db, client }: ControlDependencies) =>
  async ({ workflowId, poolId, templateId, generation }: LeaveStageInput): Promise<void> => {
    const isWanted = await db.transaction(async (tx) => {
      // The copy's row before the waiters', as whoever ends a stage has it.
      const [copy] = await tx
        .select()
        .from(templateSpoolRef)
        .where(
          and(
            eq(templateSpoolRef.poolId, poolId),
            eq(templateSpoolRef.templateId, templateId),
            inArray(templateSpoolRef.state, ['Allocated', 'Downloading']),
          ),
        )
        .for('update');
      await tx.delete(stageWaiter).where(eq(stageWaiter.workflowId, workflowId));
      if (!copy) return true;
      const [waiter] = await tx.select().from(stageWaiter).where(eq(stageWaiter.spoolRefId, copy.id)).limit(1);
      return waiter !== undefined;
    });
    if (isWanted) return;
    const stage = client.workflow.getHandle(stageWorkflowId(poolId, templateId, generation));
    await stage.cancel().catch((error: unknown) => {
      // It has ended by itself.
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
  };
