import { log } from '@temporalio/workflow';
import type { Placement } from '../shared/virtual-machines.js';
import { control, onHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/**
 * Undoes on a host what a try of a VM did there: domain, root disk, claim. A host that does not answer owes it: the
 * capacity stays claimed until it has paid, and the caller moves on. Call it in a non-cancellable scope.
 */
export async function undoPlacement(placement: Placement, reason: string): Promise<void> {
  const { vmId, token, hostId, hostName, poolId, volumeId } = placement;
  try {
    await onHost(hostId, `undo on ${hostName}`).removeDeployment({ vmId, token, poolId, volumeId });
  } catch (error) {
    log.warn('undo becomes a cleanup debt', { hostId, vmId, failure: failureOf(error) });
    await control.oweCleanup({ placement: { vmId, token, hostId, hostName, poolId, volumeId }, reason });
    return;
  }
  await control.releaseClaim({ vmId, token });
}
