import { CancellationScope, CancelledFailure, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { OngoingOperation } from '../activities/control/vm-operation.js';
import type { VirtualMachineJobInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { failureOf, toWorkflowFailure } from './failure-of.js';

/** Does the work of a job. When it fails or is cancelled, the job says why and the VM is in the state it really is in. */
export async function endWithJob(
  { vmId, jobId }: VirtualMachineJobInput,
  operation: OngoingOperation,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isCancelled = isCancellation(error) && CancellationScope.current().consideredCancelled;
    const failure = failureOf(error);
    setCurrentDetails(`**${isCancelled ? 'Cancelled' : 'Failed'}**\n\n${failure.message}`);
    await CancellationScope.nonCancellable(() =>
      control('not done').recordOperationFailed({ vmId, jobId, operation, failure, isCancelled }),
    );
    throw isCancelled ? new CancelledFailure(failure.message) : toWorkflowFailure(failure);
  }
}
