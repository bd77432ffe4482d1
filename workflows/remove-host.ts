import type { RemoveHostInput } from '../shared/hosts.js';
import { promptControl } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** Takes a host that nothing runs on out of the installation; its life in Temporal ends. An API call waits for it. */
export async function removeHost(input: RemoveHostInput): Promise<void> {
  try {
    await promptControl('take it out of the installation').removeHost(input);
  } catch (error) {
    throw toWorkflowFailure(failureOf(error));
  }
}
