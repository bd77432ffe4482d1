import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, defaultPayloadConverter } from '@temporalio/client';

const POLL_MS = 10;

export interface RunId {
  workflowId: string;
  runId: string;
}

/**
 * Resolves as soon as a run schedules an activity of this type. The server is asked to answer when something happens,
 * so that it is milliseconds late and not a poll.
 *
 * @throws Error when the run ends without
 */
export async function awaitScheduled(client: Client, run: RunId, type: string): Promise<void> {
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistory({
      namespace: client.options.namespace,
      execution: run,
      waitNewEvent: true,
      nextPageToken,
    });
    for (const { activityTaskScheduledEventAttributes: scheduled } of page.history?.events ?? []) {
      if (scheduled?.activityType?.name === type) return;
    }
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  throw new Error(`${run.workflowId} has ended without ${type}`);
}

/** Resolves when the pending activity of this type has told of its progress, and what it told. */
export async function awaitHeartbeat(client: Client, run: RunId, type: string): Promise<unknown> {
  const handle = client.workflow.getHandle(run.workflowId, run.runId);
  for (;;) {
    const { raw, status } = await handle.describe();
    const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === type);
    const payload = pending?.heartbeatDetails?.payloads?.[0];
    if (payload) return defaultPayloadConverter.fromPayload(payload);
    if (status.name !== 'RUNNING') throw new Error(`${run.workflowId} has ended without progress of ${type}`);
    await sleep(POLL_MS);
  }
}
