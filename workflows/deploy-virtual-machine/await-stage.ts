import { CancellationScope, condition, defineSignal } from '@temporalio/workflow';
import type { StageRequest } from '../../shared/templates.js';
import { control } from '../activity-proxies.js';
import { toWorkflowFailure } from '../failure-of.js';

/** The stage that this workflow waits for has ended, well or not: the waiter's row says which. */
export const stageEndedSignal = defineSignal('stageEnded');

/** A waiter that was not signalled looks by itself, ever less often: a stage may have been terminated. */
const FIRST_LOOK_MS = 20_000;
const LAST_LOOK_MS = 300_000;

/**
 * Joins the one stage of this template on this pool and waits for its end.
 *
 * @returns the template's file name below the pool
 */
export async function awaitStage(request: StageRequest, wake: { wakeUps: number }): Promise<string> {
  let lookMs = FIRST_LOOK_MS;
  try {
    for (;;) {
      const wakeUps = wake.wakeUps;
      const joined = await control('join the one download of the template').joinStage(request);
      if (joined.outcome === 'ready') return joined.installPath;
      if (joined.outcome === 'failed') throw toWorkflowFailure(joined.failure);
      await condition(() => wake.wakeUps > wakeUps, lookMs, { summary: 'wait for the template on the pool' });
      lookMs = Math.min(lookMs * 2, LAST_LOOK_MS);
    }
  } catch (error) {
    await CancellationScope.nonCancellable(() => control('leave the download').leaveStage(request));
    throw error;
  }
}
