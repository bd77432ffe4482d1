import type { Database } from '../../db/client.js';
import { purgeEvents, purgeJobs, purgeRemoved } from '../../db/purge.js';
import { atIntervals } from './at-intervals.js';

/** Removes what is kept no longer, every `event.purge.interval`. Several control workers may do this at once. */
export const createPurger = ({ db }: { db: Database }): (() => Promise<void>) =>
  atIntervals({ db, setting: 'event.purge.interval' }, async (settings) => {
    const eventDays = Number(settings['event.purge.delay']);
    const removedDays = Number(settings['expunged.resources.purge.keep.past.days']);
    if (eventDays > 0) await purgeEvents(db, eventDays);
    await purgeJobs(db, Number(settings['job.expire.minutes']));
    if (removedDays > 0) await purgeRemoved(db, removedDays);
    return true;
  });
