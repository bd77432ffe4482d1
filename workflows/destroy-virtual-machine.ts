import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { DestroyVirtualMachineInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { stopPlacement, undoPlacement } from './undo-placement.js';

/**
 * Destroys a VM: its domain ends, and with `expunge` its disk and everything else of it. Without, the disk stays and
 * the VM can be recovered. A host that does not answer owes the cleanup and pays before it is Up again. A destroy that is
 * cancelled goes on: what it has removed cannot be brought back, and half a VM is no use to anybody.
 */
export const destroyVirtualMachine = (input: DestroyVirtualMachineInput): Promise<void> =>
  CancellationScope.nonCancellable(() => destroy(input));

async function destroy(input: DestroyVirtualMachineInput): Promise<void> {
  const begun = await control('what does the VM hold?').beginDestroy(input);
  if (!begun) return;
  for (const placement of begun.placements) {
    setCurrentDetails(`${input.expunge ? 'Removing' : 'Stopping'} on **${placement.hostName}**`);
    if (input.expunge) await undoPlacement(placement, 'the virtual machine was expunged');
    else await stopPlacement(placement, 'the virtual machine was destroyed');
  }
  await control(input.expunge ? 'Expunged' : 'Destroyed').recordDestroyed(input);
  setCurrentDetails(input.expunge ? 'Expunged' : 'Destroyed');
}
