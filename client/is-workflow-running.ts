import { type Client, WorkflowNotFoundError } from '@temporalio/client';

/** Whether a workflow runs: the latest run of the id, or the one that is named. One that Temporal no longer knows does not. */
export async function isWorkflowRunning(client: Client, workflowId: string, runId?: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId, runId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
