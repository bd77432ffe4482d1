import { ActivityFailure, CancellationScope, condition, defineSignal, setHandler } from '@temporalio/workflow';
import type { JoinStageResult } from '../activities/control/template/join-stage.js';
import type { StageRequest } from '../shared/templates.js';
import { control } from './activity-proxies.js';
import { type Deadline, noTimeLeft } from './deadline.js';
import { toWorkflowFailure } from './failure-of.js';

/** The stage that this workflow waits for has ended, well or not: the waiter's row says which. */
const stageEndedSignal = defineSignal('stageEnded');

/** Where a control worker of an older version does not say how long to wait. */
const UNSAID_LOOK_MS = 20_000;

export interface StageListener {
  wakeUps: number;
}

/** Hears that a stage has ended. To be called before the workflow waits for anything. */
export function listenForStages(): StageListener {
  const listener = { wakeUps: 0 };
  setHandler(stageEndedSignal, () => void listener.wakeUps++);
  return listener;
}

/**
 * Joins the one stage of this template on this pool and waits for its end.
 *
 * @param deadline of what needs the template; waits for as long as it takes when absent
 * @returns the template's file name below the pool
 */
export async function awaitStage(request: StageRequest, listener: StageListener, deadline?: Deadline): Promise<string> {
  try {
    for (let hasWaited = false; ; hasWaited = true) {
      const { wakeUps } = listener;
      const joined = await join({ ...request, hasWaited }, deadline?.leftMs());
      if (joined.outcome === 'ready') return joined.installPath;
      if (joined.outcome === 'failed') throw toWorkflowFailure(joined.failure);
      const summary = 'wait for the template on the pool';
      // Whoever was not signalled looks by itself.
      const waitMs = Math.min(joined.lookWithinMs ?? UNSAID_LOOK_MS, deadline?.leftMs() ?? Infinity);
      await condition(() => listener.wakeUps > wakeUps, waitMs, { summary });
    }
  } catch (error) {
    await CancellationScope.nonCancellable(() => control('leave the download').leaveStage(request));
    throw error;
  }
}

/** A try that comes too late is in the list of who waits until somebody finds that it is gone: see `sweepStages`. */
async function join(request: StageRequest, withinMs?: number): Promise<JoinStageResult> {
  try {
    return await control('join the one download of the template', withinMs).joinStage(request);
  } catch (error) {
    // There was time, and not as much as the pause before the next try takes.
    if (error instanceof ActivityFailure && error.retryState === 'TIMEOUT') throw noTimeLeft();
    throw error;
  }
}
