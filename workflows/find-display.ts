import type { ConsoleInput } from '../shared/consoles.js';
import { askOnHost } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** The API call waits. */
const ANSWER_WITHIN_MS = 8_000;

/** Asks the host of a VM on which port its display listens; null when the VM does not run there. */
export async function findDisplay({ vmId, hostId, hostName }: ConsoleInput): Promise<{ port: number | null }> {
  try {
    return await askOnHost(hostId, ANSWER_WITHIN_MS, `find the display on ${hostName}`).vncDisplay({ vmId });
  } catch (error) {
    throw toWorkflowFailure(failureOf(error));
  }
}
