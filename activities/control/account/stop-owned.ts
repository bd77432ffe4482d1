import { and, eq, inArray, or } from 'drizzle-orm';
import { startJob } from '../../../client/start-job.js';
import { hasRunningJob } from '../../../db/job-sql.js';
import { completeJob, type JobRow } from '../../../db/jobs.js';
import { account, vmInstance } from '../../../db/schema/index.js';
import type { DisableAccountInput } from '../../../shared/accounts.js';
import type { Failure } from '../../../shared/failures.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { failedOutcome, SUCCEEDED } from '../job-outcomes.js';
import { nameSome } from '../name-some.js';
import { recordEvent, toldOf } from '../record-event.js';
import { runningJob } from '../running-job.js';
import { createVmJob } from '../virtual-machine/create-vm-job.js';
import { jobsOf, TRIES_TO_STOP } from '../virtual-machine/stop-jobs.js';

/** At once: hosts have other work too. */
const ROUND = 20;

export interface StoppedOfAccount {
  /** `called off` when it was enabled or deleted meanwhile; `stuck` when what is left could not be stopped. */
  outcome: 'stopped' | 'stopping' | 'stuck' | 'called off';
  accountName: string;
  /** Names of VMs that run, or may. */
  left: string;
}

/**
 * Makes the jobs that stop the next few VMs of a disabled account, the second time by force. What works on one is waited
 * for: a deployment is not lost, and is stopped when it runs.
 */
export const stopSomeOwned =
  (dependencies: ControlDependencies) =>
  async ({ accountId, jobId }: DisableAccountInput): Promise<StoppedOfAccount> => {
    const { jobs, ...stopped } = await dependencies.db.transaction(async (tx) => {
      const [self] = await tx.select().from(account).where(eq(account.id, accountId));
      const job = await runningJob(tx, jobId);
      const accountName = self?.accountName ?? accountId;
      // Without a job somebody started this workflow once too often.
      if (!job || self?.state !== 'disabled' || self.removed !== null) {
        return { outcome: 'called off' as const, accountName, left: '', jobs: [] };
      }
      return { accountName, ...(await stopNext(tx, accountId, job)) };
    });
    // What cannot be started now is started by the sweeper.
    await Promise.all(jobs.map((job) => startJob(dependencies, job)));
    return stopped;
  };

async function stopNext(
  tx: Transaction,
  accountId: string,
  job: JobRow,
): Promise<Pick<StoppedOfAccount, 'outcome' | 'left'> & { jobs: JobRow[] }> {
  const mayRun = or(inArray(vmInstance.state, ['Starting', 'Running', 'Stopping']), hasRunningJob(tx, vmInstance.id));
  const vms = await tx
    .select({ id: vmInstance.id, name: vmInstance.name, state: vmInstance.state })
    .from(vmInstance)
    .where(and(eq(vmInstance.accountId, accountId), mayRun))
    .orderBy(vmInstance.name);
  const left = nameSome(vms.map(({ name, state }) => `${name} (${state})`));
  if (vms.length === 0) return { outcome: 'stopped', left, jobs: [] };
  const jobs: JobRow[] = [];
  let busy = 0;
  for (const vm of vms) {
    if (busy + jobs.length >= ROUND) break;
    const { running, stops } = await jobsOf(tx, vm.id, job.created);
    if (running === 0 && vm.state === 'Running' && stops >= TRIES_TO_STOP) continue;
    const input = { isForced: stops > 0 };
    const stop =
      running === 0 && vm.state === 'Running'
        ? await createVmJob(tx, { vmId: vm.id, accountId, userId: job.userId, jobCmd: 'stopVirtualMachine', input })
        : undefined;
    if (stop) jobs.push(stop);
    else busy++;
  }
  return { outcome: busy + jobs.length > 0 ? 'stopping' : 'stuck', left, jobs };
}

export interface RecordAccountJobEndInput extends DisableAccountInput {
  /** Missing when it is done. */
  failure?: Failure;
  isCancelled?: boolean;
}

/** The account stays disabled, whatever still runs. */
export const recordAccountJobEnd =
  ({ db }: ControlDependencies) =>
  async ({ accountId, jobId, failure, isCancelled = false }: RecordAccountJobEndInput): Promise<void> =>
    db.transaction(async (tx) => {
      const outcome = failure ? failedOutcome(failure, isCancelled) : { ...SUCCEEDED, result: { success: true } };
      if (!(await completeJob(tx, jobId, outcome)) || !failure) return;
      await recordEvent(tx, {
        type: 'ACCOUNT.DISABLE',
        level: 'ERROR',
        ...toldOf(failure),
        accountId,
        jobId,
        resourceType: 'Account',
        resourceId: accountId,
      });
    });
