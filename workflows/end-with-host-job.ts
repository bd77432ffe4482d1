import { CancellationScope, setCurrentDetails } from '@temporalio/workflow';
import type { HostJobInput } from '../shared/hosts.js';
import { control } from './activity-proxies.js';
import { failJob } from './fail-job.js';

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
    await failJob(error, (end) => control('not done').recordHostJobFailed({ hostId, jobId, ...end }));
  }
}
