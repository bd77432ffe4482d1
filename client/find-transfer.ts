import { type Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { DownloadProgress } from '../shared/images.js';

export interface Transfer {
  /** No slot of its host is free: nobody has taken it yet. */
  isQueued: boolean;
  /** Of its last heartbeat. */
  progress: DownloadProgress | undefined;
}

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API. */
const SCHEDULED = 1;

/** The download that a stage waits for at the moment; undefined for a stage that does something else, or has ended. */
export async function findTransfer(client: Client, workflowId: string): Promise<Transfer | undefined> {
  // A stage that has not begun is no error: it has nothing to tell.
  const description = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => undefined);
  const pending = description?.raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'downloadTier');
  if (!pending) return undefined;
  const payload = pending.heartbeatDetails?.payloads?.[0];
  return {
    isQueued: pending.state === SCHEDULED,
    progress: payload ? defaultPayloadConverter.fromPayload<DownloadProgress>(payload) : undefined,
  };
}
