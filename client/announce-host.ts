import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { hostKey } from '../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../shared/task-queues.js';
import { hostWorkflowId } from '../shared/workflow-ids.js';

const RETRY_MS = 2_000;

/**
 * Says that a host worker has started: begins the host's life in Temporal the first time, and otherwise ends at once
 * whatever an earlier process of this host was taken to be doing. Tries for as long as Temporal is away.
 */
export async function announceHost(
  client: Client,
  { hostId, bootId, signal }: { hostId: string; bootId: string; signal: AbortSignal },
): Promise<void> {
  for (;;) {
    try {
      await client.workflow.signalWithStart('hostLifecycle', {
        workflowId: hostWorkflowId(hostId),
        taskQueue: CONTROL_TASK_QUEUE,
        args: [{ hostId }],
        signal: 'workerStarted',
        signalArgs: [{ bootId }],
        typedSearchAttributes: [{ key: hostKey, value: hostId }],
        staticSummary: `life of KVM host ${hostId}`,
      });
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}
