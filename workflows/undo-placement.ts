import { ApplicationFailure, log } from '@temporalio/workflow';
import { type Debt, type Placement, undoToken } from '../shared/virtual-machines.js';
import { control, onHost, type settleOnHost } from './activity-proxies.js';
import { failureOf } from './failure-of.js';

/**
 * Undoes on a host what a try of a VM did there: domain, root disk, claim. A host that does not answer owes it: the
 * capacity stays claimed until it has paid, and the caller moves on. Call it in a non-cancellable scope.
 */
export const undoPlacement = (placement: Placement, reason: string): Promise<void> =>
  settleOrOwe({ ...placement, keepsDisk: false }, reason);

/** As `undoPlacement`, but the disk stays, and the pool's space with it: the VM can be recovered. */
export const stopPlacement = (placement: Placement, reason: string): Promise<void> =>
  settleOrOwe({ ...placement, keepsDisk: true }, reason);

/** As `stopPlacement`, for a domain that has only just been started: its guest is not asked. */
export const undoStart = (placement: Placement, reason: string): Promise<void> =>
  settleOrOwe({ ...placement, keepsDisk: true, isForced: true }, reason);

async function settleOrOwe(debt: Debt, reason: string): Promise<void> {
  try {
    if (debt.isRevoked) throw ApplicationFailure.nonRetryable('the host was revoked', 'SLIPWAY_HOST_REVOKED');
    await payDebt(debt);
  } catch (error) {
    log.warn('undo becomes a cleanup debt', { hostId: debt.hostId, vmId: debt.vmId, failure: failureOf(error) });
    await control(`${debt.hostName} owes the cleanup`).oweCleanup({ debt, reason });
  }
}

/**
 * @param ask the queue of the host; its lifecycle has one of its own
 * @throws when the host does not answer, or cannot
 */
export async function payDebt(debt: Debt, ask: typeof settleOnHost = onHost): Promise<void> {
  const { vmId, token, endToken, hostId, hostName, poolId, volumeId, keepsDisk, isForced } = debt;
  try {
    if (keepsDisk) await ask(hostId, `stop on ${hostName}`).stopDomain({ vmId, token: undoToken(token), isForced });
    else {
      const upTo = endToken ?? token;
      await ask(hostId, `undo on ${hostName}`).removeDeployment({ vmId, token: upTo, poolId, volumeId });
    }
  } catch (error) {
    // A later operation on this VM has been here. To insist would keep the host from being Up for ever.
    if (failureOf(error).code !== 'SLIPWAY_FENCED') throw error;
  }
  await control('give the capacity back').releaseClaim({ vmId, token, keepsDisk });
}
