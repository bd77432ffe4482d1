import { CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import { control } from '../activity-proxies.js';

/** For whom a download is: what decides whose turn it is when the transfer slots of a host are taken. */
export interface Demand {
  /** Accounts share the slots fairly. */
  accountId: string;
  /** Nobody waits for it yet: it comes after everything that somebody waits for. */
  isPrestaged: boolean;
}

/**
 * Runs a transfer in the turn that it is due. One that is brought ahead of time, and that somebody comes to wait for
 * while it is still in the queue, gets another place there; one that runs goes on.
 */
export async function takeTurn<T>(demand: Demand, transfer: (turn: Demand) => Promise<T>): Promise<T> {
  if (!demand.isPrestaged) return transfer({ ...demand });
  const scope = new CancellationScope();
  const run = { isSettled: false };
  const pending = scope.run(() => transfer({ ...demand }));
  pending.then(
    () => (run.isSettled = true),
    () => (run.isSettled = true),
  );
  await condition(() => run.isSettled || !demand.isPrestaged);
  if (run.isSettled || !(await isQueued())) return pending;
  scope.cancel();
  try {
    // It may have ended in the meantime.
    return await pending;
  } catch (error) {
    if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
    return transfer({ ...demand });
  }
}

const isQueued = (): Promise<boolean> =>
  control('somebody waits for it now: is it still in the queue?').isTransferQueued({
    workflowId: workflowInfo().workflowId,
  });
