import { CancellationScope, CancelledFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { Failure } from '../shared/failures.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** Ends a workflow whose work has failed or was cancelled, once its job has the reason. */
export async function failJob(
  error: unknown,
  record: (end: { failure: Failure; isCancelled: boolean }) => Promise<unknown>,
): Promise<never> {
  const isCancelled = isCancellation(error) && CancellationScope.current().consideredCancelled;
  const failure = failureOf(error);
  setCurrentDetails(`**${isCancelled ? 'Cancelled' : 'Failed'}**\n\n${failure.message}`);
  await CancellationScope.nonCancellable(() => record({ failure, isCancelled }));
  throw isCancelled ? new CancelledFailure(failure.message) : toWorkflowFailure(failure);
}
