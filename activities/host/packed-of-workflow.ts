import { Context } from '@temporalio/activity';
import type { TellKeystoresInput } from '../../shared/certificates.js';

const WITHIN_MS = 10_000;

/**
 * The certificates that `tellKeystores`, whose activity this is, was started with: of GetWorkflowExecutionHistory the first
 * event. Beside each order Temporal would copy them ten times, and send them back to the workflow with every answer.
 */
export async function packedOfWorkflow(): Promise<TellKeystoresInput[1]> {
  const { client, info } = Context.current();
  const { history } = await client.withDeadline(Date.now() + WITHIN_MS, () =>
    client.workflowService.getWorkflowExecutionHistory({
      namespace: info.namespace,
      execution: info.workflowExecution,
      maximumPageSize: 1,
      // What runs is not archived, and to look there costs a third of the call.
      skipArchival: true,
    }),
  );
  const [, packed] = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
  if (!packed) throw new Error(`Workflow ${info.workflowExecution?.workflowId} was not started with certificates`);
  return client.options.loadedDataConverter.payloadConverter.fromPayload(packed);
}
