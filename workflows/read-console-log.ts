import type { ReadConsoleLogInput } from '../shared/consoles.js';
import { askOnHost } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** The API call waits. */
const ANSWER_WITHIN_MS = 8_000;

/**
 * Reads the end of what a VM wrote to its serial console, on the host that it runs on or ran on last.
 *
 * @returns JSON of a `ConsoleText`, sealed to the key of whoever asks
 */
export async function readConsoleLog(input: ReadConsoleLogInput): Promise<{ sealed: string }> {
  const { vmId, hostId, hostName, lengthBytes, replyKey } = input;
  try {
    const { readConsole } = askOnHost(hostId, ANSWER_WITHIN_MS, `read the console log on ${hostName}`);
    return await readConsole({ vmId, lengthBytes, replyKey });
  } catch (error) {
    throw toWorkflowFailure(failureOf(error));
  }
}
