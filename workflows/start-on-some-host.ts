import { CancellationScope, CancelledFailure, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { hostKey } from '../shared/search-attributes.js';
import { placementOf, type StartVirtualMachineInput, type StepOfOperation } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { tryHosts } from './try-hosts.js';
import { undoStart } from './undo-placement.js';

/**
 * Starts a Stopped VM from the root disk that it has. What fails is undone there, and the next host is tried; but as long
 * as a host has not answered to the undo no other one is, since both would write to one disk.
 */
export async function startOnSomeHost(input: StartVirtualMachineInput & StepOfOperation): Promise<void> {
  await tryHosts({
    untried: 'No host that reaches the root disk can take the virtual machine',
    claim: (excludedHostIds) =>
      control('choose a host and claim its capacity').claimStart({ ...input, excludedHostIds }),
    hostOf: ({ order }) => order,
    async work({ order }) {
      const { hostId, hostName, token, domain } = order;
      upsertSearchAttributes([{ key: hostKey, value: hostId }]);
      setCurrentDetails(`Starting on **${hostName}**`);
      await onHost(hostId, `start ${domain.instanceName} on ${hostName}`).startDomain({ token, spec: domain });
      if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('The start was cancelled');
      // Not cancellable: what the database has done must be known.
      await CancellationScope.nonCancellable(() =>
        control('Running').recordStarted({ ...input, placement: placementOf(order) }),
      );
      setCurrentDetails(`Running on **${hostName}**`);
    },
    undo: ({ order }, reason) => undoStart(placementOf(order), reason),
  });
}
