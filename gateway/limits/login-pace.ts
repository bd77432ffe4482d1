import { setTimeout as sleep } from 'node:timers/promises';

/** Before any password was looked at. */
const FIRST_GUESS_MS = 100;

/**
 * Has a login that is refused unread take as long as one whose password was looked at, without the work: else how long it
 * takes would tell strangers which of the names that they try is of somebody who was let in from their address.
 */
export interface LoginPace {
  look<Result>(work: () => Promise<Result>): Promise<Result>;
  wait(): Promise<void>;
}

export function createLoginPace(): LoginPace {
  let lookMs = FIRST_GUESS_MS;
  return {
    async look(work) {
      const startedMs = performance.now();
      const result = await work();
      lookMs = performance.now() - startedMs;
      return result;
    },
    wait: () => sleep(lookMs),
  };
}
