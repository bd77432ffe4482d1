import { and, eq, inArray, notExists, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { abandonStage } from '../../activities/control/stage.js';
import { isWorkflowRunning } from '../../client/is-workflow-running.js';
import { stageWaiter, templateSpoolRef } from '../../db/schema/index.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';

/**
 * Forgets copies that nobody waits for and whose stage was terminated: they would be Downloading for ever, and their
 * partial files would be kept to be resumed. A stage that somebody waits for is begun again by who waits.
 */
export async function sweepStages(dependencies: ControlDependencies): Promise<void> {
  const { db, client } = dependencies;
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
