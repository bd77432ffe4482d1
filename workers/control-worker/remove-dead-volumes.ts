import { and, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { isDead, isLeftAlone, planVolumeRemoval } from '../../activities/control/virtual-machine/remove-volume.js';
import { volumes } from '../../db/schema/index.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { volumeWorkflowId } from '../../shared/workflow-ids.js';

const ROUND = 100;

/**
 * Has root disks removed that are not their VM's, as soon as a host that can is Up. Several control workers may do this
 * at once: starting the workflow twice changes nothing.
 */
export async function removeDeadVolumes(dependencies: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const { db, client } = dependencies;
  const dead = await db
    .select({ volumeId: volumes.id })
    .from(volumes)
    .where(and(isDead, isLeftAlone(db)))
    .orderBy(sql`random()`)
    .limit(ROUND);
  for (const input of dead) {
    // A workflow each time that could do nothing would fill the list of an operator whose host is away.
    if ((await planVolumeRemoval(dependencies)(input)).outcome === 'not now') continue;
    await client.workflow.start('removeVolume', {
      workflowId: volumeWorkflowId(input.volumeId),
      workflowIdConflictPolicy: 'USE_EXISTING',
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
      staticSummary: 'remove a root disk that another one took the place of',
    });
  }
}
