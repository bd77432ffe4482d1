import { proxyActivities } from '@temporalio/workflow';
import { hostTaskQueue } from '../../../shared/task-queues.js';

/**
 * One activity on each host, which does nothing, all at once. Its timeouts are those of short work on a host: Temporal
 * keeps a timer for each, whatever the activity does.
 */
export async function bareRound(hostIds: string[]): Promise<void> {
  await Promise.all(
    hostIds.map((hostId) =>
      proxyActivities<{ doNothing(): Promise<void> }>({
        taskQueue: hostTaskQueue(hostId),
        scheduleToStartTimeout: '20 s',
        startToCloseTimeout: '5 m',
        // What a poll that was lost on the way has taken is given out again soon.
        heartbeatTimeout: '15 s',
      }).doNothing(),
    ),
  );
}
