import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { failoverOf } from '../shared/errors.js';
import { describeHostFailures, type HostFailure } from '../shared/failures.js';
import { hostKey } from '../shared/search-attributes.js';
import type { StartVirtualMachineInput, StepOfOperation } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';
import { LOOK_AGAIN_MS, noHostLeft } from './no-host-left.js';
import { undoStart } from './undo-placement.js';

/**
 * Starts a Stopped VM from the root disk that it has. What fails is undone there, and the next host is tried; but as long
 * as a host has not answered to the undo no other one is, since both would write to one disk.
 */
export async function startOnSomeHost(input: StartVirtualMachineInput & StepOfOperation): Promise<void> {
  const failures: HostFailure[] = [];
  for (;;) {
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The start was cancelled');
    // Not cancellable, here and where Running is recorded: what the database has done must be known to be undone.
    const claim = await CancellationScope.nonCancellable(() =>
      control('choose a host and claim its capacity').claimStart({
        ...input,
        excludedHostIds: failures.map(({ hostId }) => hostId),
      }),
    );
    if (claim.outcome === 'obsolete') return;
    if (claim.outcome === 'no host') {
      if (claim.returnsWithinMs === 0) {
        const untried = 'No host that reaches the root disk can take the virtual machine';
        throw toWorkflowFailure(noHostLeft(untried, failures, claim.refused));
      }
      setCurrentDetails('Waiting for a host that is only just away');
      await sleep(Math.min(claim.returnsWithinMs, LOOK_AGAIN_MS), { summary: 'a host may come back' });
      continue;
    }
    const { domain, ...placement } = claim.order;
    const { hostId, hostName, token } = placement;
    upsertSearchAttributes([{ key: hostKey, value: hostId }]);
    setCurrentDetails(`Starting on **${hostName}**`);
    try {
      await onHost(hostId, `start ${domain.instanceName} on ${hostName}`).startDomain({ token, spec: domain });
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The start was cancelled');
      await CancellationScope.nonCancellable(() => control('Running').recordStarted({ ...input, placement }));
      setCurrentDetails(`Running on **${hostName}**`);
      return;
    } catch (error) {
      const failure = failureOf(error);
      setCurrentDetails(`${hostName}: ${failure.message}\n\nundoing there`);
      await CancellationScope.nonCancellable(() => undoStart(placement, failure.message));
      if (isCancellation(error)) throw error;
      failures.push({ hostId, hostName, ...failure });
      if (failoverOf(failure.code) === 'giveUp') {
        throw toWorkflowFailure({ code: failure.code, message: describeHostFailures(failures) });
      }
    }
  }
}
