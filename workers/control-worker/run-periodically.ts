import { setTimeout as sleep } from 'node:timers/promises';
import { Runtime } from '@temporalio/worker';

/**
 * Runs `work` every `intervalMs`, one at a time; a failure is logged and the next round runs all the same.
 *
 * @returns a function that ends it and waits for the round under way
 */
export function runPeriodically(name: string, intervalMs: number, work: () => Promise<void>): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        await work();
      } catch (error) {
        Runtime.instance().logger.warn(`${name} failed and will run again`, { error: String(error) });
      }
      await sleep(intervalMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}
