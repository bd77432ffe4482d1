import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { JobRow } from '../db/jobs.js';
import { SlipwayError } from '../shared/errors.js';

/** A server that takes connections and says nothing would otherwise be waited for without end. */
const ANSWER_WITHIN_MS = 5_000;

/**
 * Asks the workflow of a job to end. It undoes what it has done and writes the outcome itself, so the job is in progress
 * for a while yet; and it may succeed, when there was nothing left to call off. The next job of the same thing, whose
 * workflow has the same id, is not touched.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when its workflow has not begun or is gone, SLIPWAY_UNAVAILABLE
 */
export async function cancelJob(client: Client, { id, workflowId, runId }: JobRow): Promise<void> {
  if (runId === null) {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Job ${id} has not begun yet; cancel it again in a few seconds`);
  }
  // The next job of the same resource has the same workflow id: it must not be hit.
  const workflow = client.workflow.getHandle(workflowId, runId);
  try {
    await client.withDeadline(Date.now() + ANSWER_WITHIN_MS, () => workflow.cancel());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Job ${id} is ending and cannot be cancelled any more`);
    }
    throw new SlipwayError('SLIPWAY_UNAVAILABLE', 'Temporal did not answer', { cause: error });
  }
}
