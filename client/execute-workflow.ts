import { type Client, WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, type SearchAttributePair } from '@temporalio/common';
import { isErrorCode, SlipwayError } from '../shared/errors.js';
import { CONTROL_TASK_QUEUE } from '../shared/task-queues.js';

export interface WorkflowCall {
  workflowType: string;
  workflowId: string;
  input: Record<string, unknown>;
  searchAttributes: SearchAttributePair[];
  /** One line for the Temporal Web UI; no secrets. */
  summary: string;
  timeoutMs: number;
}

/**
 * What Temporal may take to tell that a workflow has timed out. A server that takes connections and says nothing would
 * otherwise be waited for without end, and with it the API call.
 */
const ANSWER_MARGIN_MS = 2_000;

/** Runs a workflow that answers an API call, and gives its failure back as the error a user sees. */
export async function executeWorkflow<Result>(client: Client, call: WorkflowCall): Promise<Result> {
  try {
    const execute = () =>
      client.workflow.execute(call.workflowType, {
        workflowId: call.workflowId,
        taskQueue: CONTROL_TASK_QUEUE,
        args: [call.input],
        typedSearchAttributes: call.searchAttributes,
        staticSummary: call.summary,
        workflowExecutionTimeout: call.timeoutMs,
      });
    return (await client.withDeadline(Date.now() + call.timeoutMs + ANSWER_MARGIN_MS, execute)) as Result;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new SlipwayError('SLIPWAY_RESOURCE_BUSY', `Another operation on ${call.workflowId} is running`);
    }
    if (!(error instanceof WorkflowFailedError)) {
      throw new SlipwayError('SLIPWAY_UNAVAILABLE', 'Temporal did not answer', { cause: error });
    }
    const { cause } = error;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      throw new SlipwayError(cause.type, cause.message, { cause: error, details: cause.details?.[0] });
    }
    throw new SlipwayError('SLIPWAY_UNAVAILABLE', `${call.workflowId} did not end within ${call.timeoutMs} ms`, {
      cause: error,
    });
  }
}
