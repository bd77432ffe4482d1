import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { PoolJobInput, PoolVirtualMachine } from '../shared/pools.js';
import { control } from './activity-proxies.js';
import { failJob } from './fail-job.js';

/**
 * Does the work of a job on a pool. When it fails or is cancelled, the job says why.
 *
 * @param work answers with the VMs that the job's result names
 */
export async function endWithPoolJob(
  { poolId, jobId }: PoolJobInput,
  work: () => Promise<PoolVirtualMachine[]>,
): Promise<void> {
  try {
    const virtualMachines = await work();
    await CancellationScope.nonCancellable(() => control('done').recordPoolJobDone({ poolId, jobId, virtualMachines }));
    setCurrentDetails('Done');
  } catch (error) {
    await failJob(error, (end) => control('not done').recordPoolJobFailed({ poolId, jobId, ...end }));
  }
}
