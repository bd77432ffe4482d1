import { executeChild, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { KeystoreHosts } from '../../shared/certificates.js';
import { eachPart } from './each-part.js';
import { equipHosts, HOSTS_OF_PLAN } from './equip-hosts.js';

const PLANS_AT_ONCE = 2;

/** Makes the certificates of all these hosts what they should be. A host that cannot be reached has its status say so. */
export async function equipZones(due: KeystoreHosts[]): Promise<void> {
  const parts = due.flatMap(({ zoneId, hostIds }) =>
    Array.from({ length: Math.ceil(hostIds.length / HOSTS_OF_PLAN) }, (_, part) => ({
      zoneId,
      hostIds: hostIds.slice(part * HOSTS_OF_PLAN, (part + 1) * HOSTS_OF_PLAN),
    })),
  );
  const hosts = due.reduce((sum, { hostIds }) => sum + hostIds.length, 0);
  setCurrentDetails(hosts === 0 ? 'Every host has what it should' : `${hosts} hosts differ`);
  const [only, ...others] = parts;
  if (only && others.length === 0) {
    await equipHosts(only);
    return;
  }
  const { workflowId, runId } = workflowInfo();
  await eachPart(PLANS_AT_ONCE, parts, (part, index) =>
    executeChild('equipKeystores', {
      // With the run: the children of a run that was terminated may close a moment later.
      workflowId: `${workflowId}-${runId.slice(0, 8)}-${index + 1}`,
      args: [part],
      staticSummary: `certificates of ${part.hostIds.length} hosts`,
    }),
  );
}
