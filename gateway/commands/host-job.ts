import { randomUUID } from 'node:crypto';
import { createJob } from '../../db/jobs.js';
import { hasHost } from '../../db/reads/list-hosts.js';
import { hostStateWorkflowId } from '../../shared/workflow-ids.js';
import { uuid, required } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { asyncParameters, earlierJob, jobOfCall } from './async-jobs.js';
import type { CommandContext } from './define-command.js';

export const hostJobParameters = {
  ...asyncParameters,
  id: required(uuid('ID of the host.')),
};

interface HostCall {
  /** The command, which is the workflow's type too. */
  jobCmd: string;
  id: string;
  customjobid: string | undefined;
  /** Of the workflow, beside the ids of host and job. */
  input?: Record<string, unknown>;
}

/**
 * Inserts the job of an operation on a host and starts its workflow.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY when another operation is working on the host
 */
export async function startHostJob(
  { jobCmd, id, customjobid, input = {} }: HostCall,
  context: CommandContext,
): Promise<{ jobid: string }> {
  const { db, caller } = context;
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  if (!(await hasHost(db, id))) throw noSuchEntity(context.command, 'id', id);
  const jobId = customjobid ?? randomUUID();
  const created = await createJob(db, {
    id: jobId,
    accountId: caller.accountId,
    userId: caller.userId,
    jobCmd,
    workflowType: jobCmd,
    workflowId: hostStateWorkflowId(id),
    workflowInput: { ...input, hostId: id, jobId },
    instanceType: 'Host',
    instanceId: id,
  });
  // Two calls with one `customjobid` may have come at once.
  const job = jobOfCall(created, { jobCmd, accountId: caller.accountId, instanceId: id });
  // Not awaited: a caller need not wait for Temporal, which may be away; the row makes sure that it happens.
  void context.startJob(job);
  return { jobid: job.id };
}
