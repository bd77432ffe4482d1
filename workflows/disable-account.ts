import { CancellationScope, continueAsNew, setCurrentDetails, sleep, workflowInfo } from '@temporalio/workflow';
import type { DisableAccountInput } from '../shared/accounts.js';
import { control } from './activity-proxies.js';
import { failJob } from './fail-job.js';
import { toWorkflowFailure } from './failure-of.js';

/** Calls of the account that were let in before it was disabled are through by then. */
const FIRST_LOOK_MS = 2_000;
/** A VM may be worked on for days, as while its template is downloaded. */
const LAST_LOOK_MS = 60_000;

/**
 * Stops the VMs of an account that was disabled, each by a job of its own; what works on one is waited for. The account
 * can call nothing since before this began. It ends when none runs, and fails where one cannot be stopped.
 */
export async function disableAccount(input: DisableAccountInput): Promise<void> {
  let isThrough = false;
  try {
    isThrough = await stopAll(input);
    if (isThrough) await CancellationScope.nonCancellable(() => control('done').recordAccountJobEnd(input));
  } catch (error) {
    await failJob(error, (end) => control('not done').recordAccountJobEnd({ ...input, ...end }));
  }
  if (!isThrough) await continueAsNew<typeof disableAccount>(input);
  setCurrentDetails('Nothing of the account runs');
}

/** @returns false when the history has grown, and there is more to do */
async function stopAll(input: DisableAccountInput): Promise<boolean> {
  for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 1.2, LAST_LOOK_MS)) {
    const { outcome, accountName, left } = await control('what still runs?').stopSomeOwned(input);
    if (outcome === 'stopped' && lookMs > FIRST_LOOK_MS) return true;
    if (outcome === 'called off') {
      const message = `Account ${accountName} was enabled, or deleted, before all of its virtual machines were stopped`;
      throw toWorkflowFailure({ code: 'SLIPWAY_CANCELLED', message });
    }
    if (outcome === 'stuck') {
      const message = `Account ${accountName} is disabled, and these virtual machines of it could not be stopped: ${left}`;
      throw toWorkflowFailure({ code: 'SLIPWAY_RESOURCE_STATE', message });
    }
    if (workflowInfo().continueAsNewSuggested) return false;
    setCurrentDetails(`Still running: ${left || 'nothing'}`);
    await sleep(lookMs, { summary: 'virtual machines stop' });
  }
}
