import { and, eq, inArray } from 'drizzle-orm';
import { unlessEnded } from '../../../client/unless-ended.js';
import { stageWaiter, templateSpoolRef } from '../../../db/schema/index.js';
import type { StageRequest } from '../../../shared/templates.js';
import { stageWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies } from '../dependencies.js';

export type LeaveStageInput = Pick<StageRequest, 'workflowId' | 'poolId' | 'templateId'>;

/**
 * A deployment that no longer wants the template, or was told that it failed. The last to leave cancels the stage;
 * whether it was the last is asked of the rows each time, so that a repeated try cancels what the first one had no time
 * to.
 */
export const leaveStage =
  ({ db, client }: ControlDependencies) =>
  async ({ workflowId, poolId, templateId }: LeaveStageInput): Promise<void> => {
    const unwanted = await db.transaction(async (tx) => {
      // The copies' rows before the waiters', as whoever ends a stage has it. There are two while a refreshed template
      // comes beside one that is still on its way.
      const copies = await tx
        .select()
        .from(templateSpoolRef)
        .where(
          and(
            eq(templateSpoolRef.poolId, poolId),
            eq(templateSpoolRef.templateId, templateId),
            inArray(templateSpoolRef.state, ['Allocated', 'Downloading']),
          ),
        )
        .orderBy(templateSpoolRef.id)
        .for('update');
      await tx.delete(stageWaiter).where(eq(stageWaiter.workflowId, workflowId));
      const ids = copies.map(({ id }) => id);
      const { spoolRefId } = stageWaiter;
      const wanted = await tx.selectDistinct({ id: spoolRefId }).from(stageWaiter).where(inArray(spoolRefId, ids));
      return copies.filter((copy) => !wanted.some(({ id }) => id === copy.id));
    });
    for (const { generation } of unwanted) {
      await unlessEnded(client.workflow.getHandle(stageWorkflowId(poolId, templateId, generation)).cancel());
    }
  };
