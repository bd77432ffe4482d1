import { setCurrentDetails } from '@temporalio/workflow';
import type { DestroyVirtualMachineInput, Placement } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';
import { undoPlacement } from './undo-placement.js';

/**
 * Destroys a VM: its domain ends, and with `expunge` its disk and everything else of it. Without, the disk stays and
 * the VM can be recovered. A host that does not answer owes the cleanup and pays before it is Up again.
 */
export async function destroyVirtualMachine(input: DestroyVirtualMachineInput): Promise<void> {
  const begun = await control.beginDestroy(input);
  if (!begun) return;
  for (const placement of begun.placements) {
    setCurrentDetails(`${input.expunge ? 'Removing' : 'Stopping'} on **${placement.hostName}**`);
    if (input.expunge) await undoPlacement(placement, 'the virtual machine was expunged');
    else await stop(placement, begun.token);
  }
  await control.recordDestroyed(input);
  setCurrentDetails(input.expunge ? 'Expunged' : 'Destroyed');
}

async function stop(placement: Placement, token: number): Promise<void> {
  const { vmId, hostId, hostName } = placement;
  try {
    await onHost(hostId, `stop on ${hostName}`).stopDomain({ vmId, token });
  } catch (error) {
    await control.oweCleanup({ placement, reason: failureOf(error).message });
  }
}
