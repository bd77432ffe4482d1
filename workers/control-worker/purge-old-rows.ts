import { performance } from 'node:perf_hooks';
import type { Database } from '../../db/client.js';
import { purgeEvents, purgeJobs, purgeRemoved } from '../../db/purge.js';
import { readSettings } from '../../db/settings.js';

/**
 * Makes a function to be called often, which removes what is kept no longer when `event.purge.interval` has passed since
 * it did so last. Several control workers may do this at once.
 */
export function createPurger({ db }: { db: Database }): () => Promise<void> {
  let lastMs = -Infinity;
  return async () => {
    const settings = await readSettings(db);
    if (performance.now() - lastMs < Number(settings['event.purge.interval']) * 1000) return;
    const eventDays = Number(settings['event.purge.delay']);
    const removedDays = Number(settings['expunged.resources.purge.keep.past.days']);
    if (eventDays > 0) await purgeEvents(db, eventDays);
    await purgeJobs(db, Number(settings['job.expire.minutes']));
    if (removedDays > 0) await purgeRemoved(db, removedDays);
    // Only now: a database that was away for a moment must not mean that nothing is removed for a day.
    lastMs = performance.now();
  };
}
