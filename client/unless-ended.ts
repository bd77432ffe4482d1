import { WorkflowNotFoundError } from '@temporalio/client';

/**
 * Signals or cancels a workflow that may have ended by itself, or have never begun: that is no failure. Any other error
 * is thrown, so that it is tried again: a workflow that was not told would wait for ever.
 */
export async function unlessEnded(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  });
}
