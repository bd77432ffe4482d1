import { and, eq, inArray, notExists, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { abandonStage } from '../../activities/control/template/stage.js';
import { isWorkflowRunning } from '../../client/is-workflow-running.js';
import { stageWaiter, templateSpoolRef } from '../../db/schema/index.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';

/** Longer than a waiter that lives is without a look at its row. */
const FORGOTTEN_AFTER_MINUTES = 10;
const ROUND = 20;

/**
 * Forgets who waited and is gone: an activity that came late may have put him in the list after he had left, and the copy
 * would be kept for him for ever. One that was taken for gone too early puts himself in the list again.
 */
async function sweepWaiters({ db, client }: ControlDependencies): Promise<void> {
  const old = await db
    .select({ workflowId: stageWaiter.workflowId })
    .from(stageWaiter)
    .where(sql`${stageWaiter.created} < now() - make_interval(mins => ${FORGOTTEN_AFTER_MINUTES})`)
    .orderBy(sql`random()`)
    .limit(ROUND);
  for (const { workflowId } of old) {
    if (await isWorkflowRunning(client, workflowId)) continue;
    await db.delete(stageWaiter).where(eq(stageWaiter.workflowId, workflowId));
  }
}

/**
 * Forgets copies that nobody waits for and whose stage was terminated: they would be Downloading for ever, and their
 * partial files would be kept to be resumed. A stage that somebody waits for is begun again by who waits.
 */
export async function sweepStages(dependencies: ControlDependencies): Promise<void> {
  const { db, client } = dependencies;
  await sweepWaiters(dependencies);
  const waiting = db
    .select({ one: sql`1` })
    .from(stageWaiter)
    .where(eq(stageWaiter.spoolRefId, templateSpoolRef.id));
  const orphans = await db
    .select()
    .from(templateSpoolRef)
    .where(and(inArray(templateSpoolRef.state, ['Allocated', 'Downloading']), notExists(waiting)));
  for (const { id, poolId, templateId, generation } of orphans) {
    const stage = stageWorkflowId(poolId, templateId, generation);
    if (!(await isWorkflowRunning(client, stage))) await abandonStage(dependencies)({ spoolRefId: id });
  }
}
