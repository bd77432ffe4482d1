import { CancellationScope, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { PoolJobInput } from '../shared/pools.js';
import { control } from './activity-proxies.js';
import { endWithPoolJob } from './end-with-pool-job.js';
import { toWorkflowFailure } from './failure-of.js';

const FIRST_LOOK_MS = 1_000;
/** A download may go on for hours, and no history holds a look each second. */
const LAST_LOOK_MS = 60_000;

/**
 * Brings a primary storage pool into maintenance: it takes no new disks and templates, and nothing starts from it. What
 * runs from it is stopped, each VM by a job of its own; operations and downloads that are under way there are waited for.
 */
export const enableStorageMaintenance = (input: PoolJobInput): Promise<void> =>
  endWithPoolJob(input, async () => {
    // Not cancellable: what the database has done must be known.
    const hasBegun = await CancellationScope.nonCancellable(() => control('no new work').beginPoolMaintenance(input));
    if (!hasBegun) return [];
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 1.3, LAST_LOOK_MS)) {
      const { outcome, poolName, virtualMachines, templates } = await control('what is left there?').drainPool(input);
      if (outcome === 'maintenance') return [];
      const names = virtualMachines.map(({ name, state }) => `${name} (${state})`).join(', ');
      if (outcome === 'stuck') {
        const message = `Pool ${poolName} is not in maintenance: these virtual machines could not be stopped: ${names}`;
        throw toWorkflowFailure({ code: 'SLIPWAY_RESOURCE_STATE', message });
      }
      setCurrentDetails(
        [
          `**${poolName}** is waited for`,
          names === '' ? [] : `virtual machines: ${names}`,
          templates.length === 0 ? [] : `templates: ${templates.join(', ')}`,
        ]
          .flat()
          .join('\n- '),
      );
      await sleep(lookMs, { summary: 'virtual machines stop' });
    }
  });
