import type { ApplicationFailure } from '@temporalio/workflow';
import { toWorkflowFailure } from './failure-of.js';

/** By when something has to have ended. */
export interface Deadline {
  /** All that there was, in milliseconds. */
  limitMs: number;
  hasPassed(): boolean;
  /**
   * @returns milliseconds, more than 0
   * @throws SLIPWAY_DEADLINE when it has passed, so that what would need the time is not begun
   */
  leftMs(): number;
}

export const noTimeLeft = (): ApplicationFailure =>
  toWorkflowFailure({ code: 'SLIPWAY_DEADLINE', message: 'There is no time left' });

/**
 * Looked at before each step, and a bound of each wait. A timer beside the work would do the same; it costs Temporal as
 * much as an activity, and nearly no deployment needs it.
 */
export function deadlineIn(limitMs: number): Deadline {
  const endsAtMs = Date.now() + limitMs;
  const hasPassed = () => Date.now() >= endsAtMs;
  return {
    limitMs,
    hasPassed,
    leftMs() {
      if (hasPassed()) throw noTimeLeft();
      return endsAtMs - Date.now();
    },
  };
}
