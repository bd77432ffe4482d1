import { performance } from 'node:perf_hooks';
import type { Database } from '../../db/client.js';
import { readSettings } from '../../db/settings.js';
import type { GlobalSettingValues } from '../../shared/settings.js';

/**
 * Makes a function to be called often, which works when the interval of a setting, in seconds, has passed since it had
 * last finished: the setting counts from the next call on, and a database that was away for a moment does not mean that
 * nothing is done for a day.
 *
 * @param work answers whether it has finished; otherwise it goes on at the next call
 */
export function atIntervals(
  { db, setting, nowMs = () => performance.now() }: AtIntervals,
  work: (settings: GlobalSettingValues) => Promise<boolean>,
): () => Promise<void> {
  let lastMs = -Infinity;
  return async () => {
    const settings = await readSettings(db);
    const begunMs = nowMs();
    if (begunMs - lastMs < Number(settings[setting]) * 1000) return;
    if (await work(settings)) lastMs = begunMs;
  };
}

interface AtIntervals {
  db: Database;
  setting: 'event.purge.interval' | 'expunge.interval';
  nowMs?: (() => number) | undefined;
}
