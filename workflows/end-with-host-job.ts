import { CancellationScope, CancelledFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { HostJobInput } from '../shared/hosts.js';
import { control } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** Does the work of a job on a host. When it fails or is cancelled, the job says why. */
export async function endWithHostJob(
  { hostId, jobId }: HostJobInput,
  work: () => Promise<Record<string, unknown>>,
): Promise<void> {
  try {
    const result = await work();
    await CancellationScope.nonCancellable(() => control('done').recordHostJobDone({ hostId, jobId, result }));
    setCurrentDetails('Done');
  } catch (error) {
    const isCancelled = isCancellation(error) && CancellationScope.current().consideredCancelled;
    const failure = failureOf(error);
    setCurrentDetails(`**${isCancelled ? 'Cancelled' : 'Failed'}**\n\n${failure.message}`);
    await CancellationScope.nonCancellable(() =>
      control('not done').recordHostJobFailed({ hostId, jobId, failure, isCancelled }),
    );
    throw isCancelled ? new CancelledFailure(failure.message) : toWorkflowFailure(failure);
  }
}
