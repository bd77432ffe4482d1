import { unlessEnded } from '../../../client/unless-ended.js';
import type { ControlDependencies } from '../dependencies.js';

const WAKE_BATCH = 50;

/**
 * Tells deployments to look at what they wait for. Signals go through the client, in batches: a thousand waiters must not
 * be a thousand events in the history of whoever tells them.
 */
export async function wakeWaiters(
  { client }: Pick<ControlDependencies, 'client'>,
  waiters: { workflowId: string }[],
): Promise<void> {
  for (let start = 0; start < waiters.length; start += WAKE_BATCH) {
    await Promise.all(
      waiters
        .slice(start, start + WAKE_BATCH)
        .map(({ workflowId }) => unlessEnded(client.workflow.getHandle(workflowId).signal('stageEnded'))),
    );
  }
}
