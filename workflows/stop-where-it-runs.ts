import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import { type StepOfOperation, type StopVirtualMachineInput, undoToken } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { askHost } from './ask-host.js';
import { failureOf } from './failure-of.js';

/**
 * Asks the guest of a Running VM to power off, and ends it when it has not in time; forced, at once. CPU and memory are
 * given back, the disk stays. A cancelled stop forces nothing: it ends as the guest is found.
 */
export async function stopWhereItRuns(input: StopVirtualMachineInput & StepOfOperation): Promise<void> {
  const { isForced } = input;
  // Not cancellable: what the database has done must be known.
  const begun = await CancellationScope.nonCancellable(() => control('where does it run?').beginStop(input));
  if (!begun) return;
  const { timeoutMs, ...placement } = begun;
  const { vmId, token, hostId, hostName } = placement;
  let isOwed = false;
  try {
    setCurrentDetails(isForced ? `Ending it on **${hostName}**` : `Asking its guest on **${hostName}** to power off`);
    await onHost(hostId, `${isForced ? 'end' : 'shut down'} on ${hostName}`, timeoutMs).stopDomain({
      vmId,
      token: undoToken(token),
      isForced,
      timeoutMs,
    });
  } catch (error) {
    const failure = failureOf(error);
    const isAlive =
      failure.code === 'SLIPWAY_HOST_UNREACHABLE'
        ? undefined
        : await CancellationScope.nonCancellable(() => askHost(placement));
    if (isAlive ?? true) {
      if (!isForced || isCancellation(error)) throw error;
      isOwed = true;
      const debt = { ...placement, keepsDisk: true };
      await CancellationScope.nonCancellable(() =>
        control(`${hostName} owes the stop`).oweCleanup({ debt, reason: failure.message }),
      );
    }
  }
  await CancellationScope.nonCancellable(() => control('Stopped').recordStopped({ ...input, placement, isOwed }));
  setCurrentDetails('Stopped');
}
