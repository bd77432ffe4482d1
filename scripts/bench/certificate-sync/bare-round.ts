import { proxyActivities } from '@temporalio/workflow';
import { hostTaskQueue } from '../../../shared/task-queues.js';

/** One activity on each host, which does nothing, all at once. */
export async function bareRound(hostIds: string[]): Promise<void> {
  await Promise.all(
    hostIds.map((hostId) =>
      proxyActivities<{ doNothing(): Promise<void> }>({
        taskQueue: hostTaskQueue(hostId),
        startToCloseTimeout: '5 m',
      }).doNothing(),
    ),
  );
}
