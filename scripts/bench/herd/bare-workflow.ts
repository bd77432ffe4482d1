import { proxyActivities } from '@temporalio/workflow';
import type { BareActivities, BareInput } from './bare-process.js';

/**
 * As many activities as a deployment has, in the same order of queues, and nothing in them. Their timeouts are those of a
 * deployment too: Temporal keeps a timer for each, whoever the activities are of.
 */
export async function bareWorkflow({ steps, controlQueue, hostQueue }: BareInput): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const { bareStep } = proxyActivities<BareActivities>(
      step === 'control'
        ? { taskQueue: controlQueue, startToCloseTimeout: '30 s' }
        : {
            taskQueue: hostQueue,
            scheduleToStartTimeout: '20 s',
            startToCloseTimeout: '5 m',
            heartbeatTimeout: '15 s',
          },
    );
    await bareStep(index === steps.length - 1);
  }
}
