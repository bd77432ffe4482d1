import { proxyActivities } from '@temporalio/workflow';
import type { BareActivities, BareInput } from './bare-process.js';

/** As many activities as a deployment has, in the same order of queues, and nothing in them. */
export async function bareWorkflow({ steps, controlQueue, hostQueue }: BareInput): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const { bareStep } = proxyActivities<BareActivities>({
      taskQueue: step === 'control' ? controlQueue : hostQueue,
      startToCloseTimeout: '5 m',
    });
    await bareStep(index === steps.length - 1);
  }
}
