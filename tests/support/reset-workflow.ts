import type { Client, WorkflowHandle } from '@temporalio/client';
import type { RunId } from './await-step.js';
import { waitFor } from './wait-for.js';

type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

/**
 * As an operator does in the Temporal Web UI: everything is done again. Of an id alone the latest run is reset.
 *
 * @param doneTasks workflow tasks that stay done: none when absent
 */
export async function resetWorkflow(
  client: Client,
  { workflowId, runId }: Partial<RunId> & { workflowId: string },
  doneTasks = 0,
) {
  const handle = client.workflow.getHandle(workflowId, runId);
  let task: HistoryEvent | undefined;
  // One that has only just been started has nothing to be reset to.
  await waitFor('the workflow task has been completed', async () => {
    const { events } = await handle.fetchHistory();
    task = events?.filter(({ workflowTaskCompletedEventAttributes: done }) => done)[doneTasks];
    return task !== undefined;
  });
  await client.workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId: runId ?? (await handle.describe()).runId },
    reason: 'a test of faults',
    workflowTaskFinishEventId: task?.eventId,
    requestId: crypto.randomUUID(),
  });
}
