import type { OngoingOperation } from '../activities/control/virtual-machine/vm-operation.js';
import type { VirtualMachineJobInput } from '../shared/virtual-machines.js';
import { control } from './activity-proxies.js';
import { failJob } from './fail-job.js';

/** Does the work of a job. When it fails or is cancelled, the job says why and the VM is in the state it really is in. */
export async function endWithJob(
  { vmId, jobId }: VirtualMachineJobInput,
  operation: OngoingOperation,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    await failJob(error, (end) => control('not done').recordOperationFailed({ vmId, jobId, operation, ...end }));
  }
}
