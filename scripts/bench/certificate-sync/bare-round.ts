import { proxyActivities } from '@temporalio/workflow';
import { hostTaskQueue } from '../../../shared/task-queues.js';

/** One activity on each host, which does nothing, all at once. */
export async function bareRound(hostIds: string[]): Promise<void> {
  await Promise.all(
    hostIds.map((hostId) =>
      proxyActivities<{ doNothing(): Promise<void> }>({
        taskQueue: hostTaskQueue(hostId),
        // What a poll that was lost on the way has taken is given out again soon, as by the heartbeats of ours.
        startToCloseTimeout: '15 s',
      }).doNothing(),
    ),
  );
}
