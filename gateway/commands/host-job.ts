import { hasHost } from '../../db/reads/list-hosts.js';
import { hostStateWorkflowId } from '../../shared/workflow-ids.js';
import { required, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { asyncParameters, begin, earlierJob, insertJob } from './async-jobs.js';
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
  const { db, command } = context;
  const earlier = await earlierJob(db, context, { customjobid, jobCmd, instanceId: id });
  if (earlier) return { jobid: earlier.id };
  if (!(await hasHost(db, id))) throw noSuchEntity(command, 'id', id);
  const job = await insertJob(db, context, {
    jobCmd,
    customjobid,
    workflowType: jobCmd,
    workflowId: hostStateWorkflowId(id),
    input: { ...input, hostId: id },
    instanceType: 'Host',
    instanceId: id,
  });
  return begin(job, context);
}
