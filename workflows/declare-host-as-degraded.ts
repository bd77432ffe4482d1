import { setCurrentDetails, sleep } from '@temporalio/workflow';
import type { HostJobInput } from '../shared/hosts.js';
import { control } from './activity-proxies.js';
import { endWithHostJob } from './end-with-host-job.js';
import { toWorkflowFailure } from './failure-of.js';

const LOOK_AGAIN_MS = 5_000;
/** Ten minutes: whatever works on a VM of a host that does not answer has given up long before. */
const MOST_LOOKS = 120;

/**
 * An operator says that a host which does not answer is fenced: its VMs are Stopped, and may be started elsewhere. One
 * that an operation works on is waited for.
 */
export const declareHostAsDegraded = (input: HostJobInput): Promise<void> =>
  endWithHostJob(input, async () => {
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      const { busy } = await control('its virtual machines are Stopped').takeForStopped({
        ...input,
        isFirstLook: looks === 0,
      });
      if (busy === 0) return {};
      setCurrentDetails(`Waiting for operations on ${busy} virtual machines`);
      await sleep(LOOK_AGAIN_MS, { summary: 'operations end' });
    }
    const message = 'Operations on virtual machines of the host have not ended. Declare it as Degraded once more';
    throw toWorkflowFailure({ code: 'SLIPWAY_RESOURCE_BUSY', message });
  });
