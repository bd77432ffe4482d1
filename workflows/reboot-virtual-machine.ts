import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import { type RebootVirtualMachineInput, undoToken } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { endWithJob } from './end-with-job.js';

/**
 * Reboots a Running VM where it is: asks its guest, and resets it when the guest has not rebooted in time; forced, at
 * once. The VM is Running all the time. A cancelled reboot ends the wait and resets nothing.
 */
export const rebootVirtualMachine = (input: RebootVirtualMachineInput): Promise<void> =>
  endWithJob(input, 'REBOOT', async () => {
    const { isForced } = input;
    const begun = await control('where does it run?').beginReboot(input);
    if (!begun) return;
    const { vmId, token, hostId, hostName, timeoutMs } = begun;
    setCurrentDetails(isForced ? `Resetting it on **${hostName}**` : `Asking its guest on **${hostName}** to reboot`);
    await onHost(hostId, `${isForced ? 'reset' : 'reboot'} on ${hostName}`, timeoutMs).rebootDomain({
      vmId,
      token: undoToken(token),
      isForced,
      timeoutMs,
    });
    await CancellationScope.nonCancellable(() => control('rebooted').recordRebooted(input));
    setCurrentDetails('Rebooted');
  });
