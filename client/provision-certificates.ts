import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { ProvisionCertificatesInput } from '../shared/certificates.js';
import { zoneKey } from '../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../shared/task-queues.js';
import { certificateWorkflowId } from '../shared/workflow-ids.js';

/** What an API call waits for hosts; the work goes on behind it. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 100;

/**
 * Of a run that brings certificates to hosts. One that cannot go on, as when an upgrade has changed what its workflow does,
 * would else stand for ever in the way of those that come after it, which see to all that it would have.
 */
export const CERTIFICATES_WITHIN = '6 h';

/**
 * Has hosts given what they are to trust, and waits for up to 10 s until they have said what came of it. It fails for no
 * trouble with Temporal: what is wanted is in the database, and is seen to from there.
 */
export async function provisionCertificates(
  client: Client,
  certificate: { id: string; zoneId: string },
  isSettled: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  try {
    // One that runs may have looked before this change; the next looks at all hosts of the zone again.
    await client.withDeadline(deadlineMs, () => startProvisioning(client, certificate, 'TERMINATE_EXISTING'));
  } catch {
    return;
  }
  while (!(await isSettled()) && Date.now() < deadlineMs) await sleep(LOOK_EVERY_MS);
}

export async function startProvisioning(
  client: Client,
  { id, zoneId }: { id: string; zoneId: string },
  workflowIdConflictPolicy: 'TERMINATE_EXISTING' | 'USE_EXISTING',
): Promise<void> {
  const input: ProvisionCertificatesInput = { zoneId };
  await client.workflow.start('provisionCertificates', {
    workflowId: certificateWorkflowId(id),
    workflowIdConflictPolicy,
    workflowRunTimeout: CERTIFICATES_WITHIN,
    taskQueue: CONTROL_TASK_QUEUE,
    args: [input],
    typedSearchAttributes: [{ key: zoneKey, value: zoneId }],
    staticSummary: 'bring a change of the certificates of a zone to its hosts',
  });
}
