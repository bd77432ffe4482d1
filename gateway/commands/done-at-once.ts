import type { Transaction } from '../../db/client.js';
import { completeJob } from '../../db/jobs.js';
import { JOB_STATUS } from '../../db/schema/index.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { earlierJob, insertJob } from './async-jobs.js';
import type { CommandContext } from './define-command.js';

interface Call {
  jobCmd: string;
  customjobid: string | undefined;
  instanceType: string;
  instanceId: string;
}

/**
 * For what CloudStack does in a job and what is one transaction here. Clients ask for the job's result all the same: its
 * row is written as ended, together with the work, and no workflow is needed.
 *
 * @param work answers whether there is such a thing as the parameter `id` names
 */
export async function doneAtOnce(
  call: Call,
  context: CommandContext,
  work: (tx: Transaction, jobId: string) => Promise<boolean>,
): Promise<{ jobid: string }> {
  const { db, command } = context;
  const { jobCmd, instanceId } = call;
  const earlier = await earlierJob(db, context, call);
  if (earlier) return { jobid: earlier.id };
  return db.transaction(async (tx) => {
    // The job first: of two equal calls at once the second waits here, and does nothing. Its id is that of no workflow: a
    // call that has locked the same thing, and then inserts the job of one, would wait for this one, and this for it.
    const workflowId = `${jobCmd}-${instanceId}`;
    const job = await insertJob(tx, context, { ...call, workflowType: jobCmd, workflowId, input: {} });
    if (job.jobStatus !== JOB_STATUS.inProgress) return { jobid: job.id };
    if (!(await work(tx, job.id))) throw noSuchEntity(command, 'id', instanceId);
    await completeJob(tx, job.id, { status: 'succeeded', resultCode: 0, result: { success: true } });
    return { jobid: job.id };
  });
}
