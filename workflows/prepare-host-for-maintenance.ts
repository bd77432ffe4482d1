import { CancellationScope, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { PrepareHostForMaintenanceInput } from '../shared/hosts.js';
import { control } from './activity-proxies.js';
import { endWithHostJob } from './end-with-host-job.js';
import { toWorkflowFailure } from './failure-of.js';

const FIRST_LOOK_MS = 3_000;
/** A VM may be worked on for days, as while its template is downloaded, and no history holds a look each three seconds. */
const LAST_LOOK_MS = 60_000;

/**
 * Prepares a host for maintenance: it takes no new work. The VMs that run there are stopped, each by a job of its own, or
 * named in the job's result and left alone. The host is in Maintenance when the last of them has left it, which the
 * control worker sees to if nobody waits for it here.
 */
export const prepareHostForMaintenance = (input: PrepareHostForMaintenanceInput): Promise<void> =>
  endWithHostJob(input, async () => {
    // Not cancellable: what the database has done must be known.
    const hasBegun = await CancellationScope.nonCancellable(() => control('no new work').beginMaintenance(input));
    if (!hasBegun) return {};
    for (let lookMs = FIRST_LOOK_MS; ; lookMs = Math.min(lookMs * 1.2, LAST_LOOK_MS)) {
      const { outcome, hostName, left } = await control('what is left there?').drainHost(input);
      if (outcome === 'maintenance') return { virtualmachines: [] };
      if (outcome === 'called off') {
        const message = 'The maintenance was called off, and the host takes work again';
        throw toWorkflowFailure({ code: 'SLIPWAY_CANCELLED', message });
      }
      if (!input.stopsVirtualMachines) return { virtualmachines: left };
      const names = left.map(({ name, state }) => `${name} (${state})`).join(', ');
      if (outcome === 'stuck') {
        const message = `Host ${hostName} is not in maintenance: these virtual machines could not be stopped: ${names}`;
        throw toWorkflowFailure({ code: 'SLIPWAY_RESOURCE_STATE', message });
      }
      setCurrentDetails(`Stopping on **${hostName}**: ${names}`);
      await sleep(lookMs, { summary: 'virtual machines stop' });
    }
  });
