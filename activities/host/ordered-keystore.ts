import { Context } from '@temporalio/activity';
import { unpackKeystore } from '../../kvm/keystore/packed-certificates.js';
import type { DesiredKeystore, TellKeystoresInput, ToldKeystore } from '../../shared/certificates.js';

const WITHIN_MS = 10_000;

/**
 * The set that this activity is to make a host have.
 *
 * @param packed of `packCertificates`; left out by `tellKeystores`, which has it in its history
 */
export const orderedKeystore = async (told: ToldKeystore, packed?: Uint8Array): Promise<DesiredKeystore> =>
  unpackKeystore(told, packed ?? (await packedOfWorkflow()));

/**
 * The certificates that `tellKeystores`, whose activity this is, was started with: of GetWorkflowExecutionHistory the first
 * event. Beside each order Temporal would copy them ten times, and send them back to the workflow with every answer.
 */
async function packedOfWorkflow(): Promise<TellKeystoresInput[1]> {
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
