import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.js';
import { completeJob, createJob } from '../../db/jobs.js';
import { JOB_STATUS } from '../../db/schema/index.js';
import { earlierJob, jobOfCall } from './async-jobs.js';
import type { CommandContext } from './define-command.js';

type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

interface Call {
  jobCmd: string;
  customjobid: string | undefined;
  instanceType: string;
  instanceId: string;
}

/**
 * For what CloudStack does in a job and what is one transaction here. Clients ask for the job's result all the same: its
 * row is written as ended, together with the work, and no workflow is needed.
 */
export async function doneAtOnce(
  { customjobid, ...call }: Call,
  context: CommandContext,
  work: (tx: Transaction) => Promise<void>,
): Promise<{ jobid: string }> {
  const { db, caller } = context;
  const { jobCmd, instanceId, instanceType } = call;
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId });
  if (earlier) return { jobid: earlier.id };
  return db.transaction(async (tx) => {
    // The job first: of two equal calls at once the second waits here, and does nothing.
    const created = await createJob(tx, {
      ...call,
      id: customjobid ?? randomUUID(),
      accountId: caller.accountId,
      userId: caller.userId,
      workflowType: jobCmd,
      workflowId: `${instanceType.toLowerCase()}-${instanceId}`,
      workflowInput: {},
    });
    const job = jobOfCall(created, { jobCmd, accountId: caller.accountId, instanceId });
    if (job.jobStatus !== JOB_STATUS.inProgress) return { jobid: job.id };
    await work(tx);
    await completeJob(tx, job.id, { status: 'succeeded', resultCode: 0, result: { success: true } });
    return { jobid: job.id };
  });
}
