import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { CancellationScope, getExternalWorkflowHandle, sleep } from '@temporalio/workflow';

/** How often it is tried whether the former child is gone. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Executes a child workflow of a fixed id. When this workflow was reset in the Temporal Web UI, the child that its former
 * run began may go on; it is waited for, and called off when this workflow is cancelled meanwhile.
 */
export async function onceFormerChildIsGone<T>(
  workflowId: string,
  execute: (workflowId: string) => Promise<T>,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await execute(workflowId);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
    try {
      await sleep(pauseMs, { summary: 'the child of an earlier run is still at it' });
    } catch (cancellation) {
      const callOff = () => getExternalWorkflowHandle(workflowId).cancel();
      // It may have ended meanwhile.
      await CancellationScope.nonCancellable(callOff).catch(() => undefined);
      throw cancellation;
    }
  }
}
