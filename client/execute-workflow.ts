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

/** Runs a workflow that answers an API call, and gives its failure back as the error a user sees. */
export async function executeWorkflow<Result>(client: Client, call: WorkflowCall): Promise<Result> {
  try {
    return (await client.workflow.execute(call.workflowType, {
      workflowId: call.workflowId,
      taskQueue: CONTROL_TASK_QUEUE,
      args: [call.input],
      typedSearchAttributes: call.searchAttributes,
      staticSummary: call.summary,
      workflowExecutionTimeout: call.timeoutMs,
    })) as Result;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new SlipwayError('SLIPWAY_RESOURCE_BUSY', `Another operation on ${call.workflowId} is running`);
    }
    if (!(error instanceof WorkflowFailedError)) {
      throw new SlipwayError('SLIPWAY_UNAVAILABLE', 'Temporal did not answer', { cause: error });
    }
    const { cause } = error;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      throw new SlipwayError(cause.type, cause.message, { cause: error });
    }
    throw new SlipwayError('SLIPWAY_UNAVAILABLE', `${call.workflowId} did not end within ${call.timeoutMs} ms`, {
      cause: error,
    });
  }
}
