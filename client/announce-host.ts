import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { hostLife } from './host-life.js';

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
        ...hostLife(hostId),
        signal: 'workerStarted',
        signalArgs: [{ bootId }],
      });
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}
