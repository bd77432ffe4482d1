import { and, eq, inArray, isNotNull, isNull, ne, notInArray, or, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { wakeWaiters } from '../../activities/control/template/wake-waiters.js';
import { isWorkflowRunning } from '../../client/is-workflow-running.js';
import { stageWaiter, templateSpoolRef } from '../../db/schema/index.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';

/** One that joined a moment ago may not have started the stage, or be on its way to look. */
const FORGOTTEN_AFTER_SECONDS = 20;
const ROUND = 20;

const UNFINISHED: (typeof templateSpoolRef.$inferSelect)['state'][] = ['Allocated', 'Downloading'];

/** Those that wait for space look by themselves. */
const isOld = and(
  isNotNull(stageWaiter.generation),
  sql`${stageWaiter.created} < now() - make_interval(secs => ${FORGOTTEN_AFTER_SECONDS})`,
);

/**
 * Wakes who waits for a stage and was not signalled: its stage was terminated or reset, or whoever ended the stage could
 * not tell everybody. Of several that wait for one stage that is gone one is enough: it begins it again.
 */
export async function wakeForgotten(dependencies: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  await wakeWaiters(dependencies, [...(await listUntold(dependencies)), ...(await listAbandoned(dependencies))]);
}

/** Whose rows or copies say that there is nothing to wait for. */
const listUntold = ({ db }: Pick<ControlDependencies, 'db'>): Promise<{ workflowId: string }[]> =>
  db
    .select({ workflowId: stageWaiter.workflowId })
    .from(stageWaiter)
    .leftJoin(templateSpoolRef, eq(templateSpoolRef.id, stageWaiter.spoolRefId))
    .where(
      and(
        isOld,
        or(
          ne(stageWaiter.state, 'Waiting'),
          isNull(templateSpoolRef.id),
          notInArray(templateSpoolRef.state, UNFINISHED),
        ),
      ),
    )
    .orderBy(sql`random()`)
    .limit(ROUND);

/** One waiter of each stage that does not run. */
async function listAbandoned({ db, client }: Pick<ControlDependencies, 'db' | 'client'>) {
  const { id, poolId, templateId, generation } = templateSpoolRef;
  const oneOfEach = db
    .selectDistinctOn([id], { workflowId: stageWaiter.workflowId, poolId, templateId, generation })
    .from(stageWaiter)
    .innerJoin(templateSpoolRef, eq(id, stageWaiter.spoolRefId))
    .where(and(isOld, eq(stageWaiter.state, 'Waiting'), inArray(templateSpoolRef.state, UNFINISHED)))
    .orderBy(id, sql`random()`)
    .as('one_of_each');
  const waiting = await db
    .select()
    .from(oneOfEach)
    .orderBy(sql`random()`)
    .limit(ROUND);
  const isGone = await Promise.all(
    waiting.map(
      async (stage) =>
        !(await isWorkflowRunning(client, stageWorkflowId(stage.poolId, stage.templateId, stage.generation))),
    ),
  );
  return waiting.filter((_, index) => isGone[index]);
}
