import { CancellationScope, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { PoolJobInput } from '../shared/pools.js';
import { control } from './activity-proxies.js';
import { endWithPoolJob } from './end-with-pool-job.js';

const FIRST_LOOK_MS = 1_000;
const LAST_LOOK_MS = 60_000;

/**
 * Ends the maintenance of a primary storage pool: it takes work again, and the VMs that the maintenance has stopped are
 * started, each once by a job of its own. The result names those that could not be.
 */
export const cancelStorageMaintenance = (input: PoolJobInput): Promise<void> =>
  endWithPoolJob(input, async () => {
    // Not cancellable: what the database has done must be known.
    const hasEnded = await CancellationScope.nonCancellable(() => control('it takes work').endPoolMaintenance(input));
    if (!hasEnded) return [];
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 1.3, LAST_LOOK_MS)) {
      const { pending, notStarted } = await control('start what was stopped').startOnPool(input);
      if (pending.length === 0) return notStarted;
      setCurrentDetails(`Starting ${pending.map(({ name, state }) => `${name} (${state})`).join(', ')}`);
      await sleep(lookMs, { summary: 'virtual machines start' });
    }
  });
