import { and, eq, isNotNull } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { readBandwidth } from '../../activities/control/template/read-bandwidth.js';
import { templateSpoolRef } from '../../db/schema/index.js';
import type { TellBandwidthInput } from '../../shared/hosts.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { bandwidthWorkflowId } from '../../shared/workflow-ids.js';

/**
 * Makes a function to be called often, which tells hosts that download when the limits of downloads have changed since it
 * was called last. A host that was not told has them with its next download.
 */
export function createBandwidthTeller({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): () => Promise<void> {
  let told: string | undefined;
  return async () => {
    const caps = JSON.stringify(await readBandwidth({ db })());
    if (caps === told) return;
    const downloading = await db
      .selectDistinct({ hostId: templateSpoolRef.hostId })
      .from(templateSpoolRef)
      .where(and(eq(templateSpoolRef.state, 'Downloading'), isNotNull(templateSpoolRef.hostId)));
    for (const { hostId } of downloading) {
      const input: TellBandwidthInput = { hostId: hostId! };
      await client.workflow.start('tellBandwidth', {
        workflowId: bandwidthWorkflowId(input.hostId),
        // One that runs may have read the limits already.
        workflowIdConflictPolicy: 'TERMINATE_EXISTING',
        taskQueue: CONTROL_TASK_QUEUE,
        args: [input],
        staticSummary: 'tell the host how fast it may download',
      });
    }
    told = caps;
  };
}
