import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import type { Database } from '../db/client.js';
import { type JobRow, recordJobRun } from '../db/jobs.js';
import { accountKey, hostKey, templateKey, vmKey, zoneKey } from '../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../shared/task-queues.js';

/** Where the workflow's memo says which job it runs. */
const JOB_ID_MEMO = 'jobId';

/**
 * The workflow of the previous job writes the job's outcome as its last act and closes a moment later. A client that
 * saw the outcome may call again within that moment.
 */
const CLOSING_TRIES = 20;
const CLOSING_WAIT_MS = 100;

/**
 * Starts the workflow of a job row. Never throws: the row is the promise, and the sweeper starts what could not be
 * started here. Starting the same job twice has no effect.
 *
 * @returns whether the workflow of this job is known to run, or to have run
 */
export async function startJob({ client, db }: { client: Client; db: Database }, job: JobRow): Promise<boolean> {
  for (let tries = 0; tries < CLOSING_TRIES; tries++) {
    try {
      const handle = await client.workflow.start(job.workflowType, {
        workflowId: job.workflowId,
        taskQueue: CONTROL_TASK_QUEUE,
        args: [job.workflowInput],
        memo: { [JOB_ID_MEMO]: job.id },
        typedSearchAttributes: searchAttributes(job),
        staticSummary: `${job.jobCmd}, job ${job.id}`,
      });
      // Without it the sweeper starts the job again, and finds it running.
      await recordJobRun(db, job.id, handle.firstExecutionRunId).catch(() => undefined);
      return true;
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) return false;
      const running = await runningJob(client, job.workflowId).catch(() => undefined);
      if (running?.jobId === job.id) {
        await recordJobRun(db, job.id, running.runId).catch(() => undefined);
        return true;
      }
      await sleep(CLOSING_WAIT_MS);
    }
  }
  return false;
}

async function runningJob(client: Client, workflowId: string): Promise<{ jobId: unknown; runId: string }> {
  const { memo, runId } = await client.workflow.getHandle(workflowId).describe();
  return { jobId: memo?.[JOB_ID_MEMO], runId };
}

/** Known at the start: to tell Temporal later costs it as much as a second activity. */
function searchAttributes({ accountId, instanceType, instanceId, workflowInput }: JobRow): SearchAttributePair[] {
  const { zoneId, templateId } = workflowInput;
  const pairs = [
    { key: accountKey, value: accountId },
    { key: vmKey, value: instanceType === 'VirtualMachine' && instanceId },
    { key: hostKey, value: instanceType === 'Host' && instanceId },
    { key: templateKey, value: (instanceType === 'Template' && instanceId) || templateId },
    { key: zoneKey, value: zoneId },
  ];
  return pairs.flatMap(({ key, value }) => (typeof value === 'string' ? [{ key, value }] : []));
}
