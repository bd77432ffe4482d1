import { executeChild } from '@temporalio/workflow';
import type { KeystoreHosts, KeystoreOutcome, KeystoreReport } from '../../shared/certificates.js';
import { control } from '../activity-proxies.js';
import { childOfPart, eachPart } from './each-part.js';
import { childrenAtOnce, groupsOfHosts } from './groups-of-hosts.js';
import { createRecorder } from './record-outcomes.js';
import { tellHosts } from './tell-hosts.js';

/**
 * Hosts of one plan. A host may have a set of its own of all that a zone may have: orders of more hosts would not fit into
 * one message.
 */
export const HOSTS_OF_PLAN = 500;

/**
 * Makes the certificates of hosts of one zone, of a plan's number at most, equal what they should be, and records what
 * each host says that it has. Hosts that have what they should are not asked.
 *
 * @param isLife for `hostLifecycle`: through its own queue, and a host that falls silent is a failure
 * @returns what hosts say that they have now; of many, which are told by children, nothing
 */
export async function equipHosts(due: KeystoreHosts, { isLife = false } = {}): Promise<KeystoreReport[]> {
  const plan = await control('what are these hosts to trust?').planKeystores(due);
  if (plan.hosts.length === 0) return [];
  const { certificates } = plan;
  const packed = await control('the certificates themselves').packKeystore({ certificates });
  const record = createRecorder(plan);
  const groups = groupsOfHosts(plan, packed);
  if (groups.length === 1) {
    const outcomes = await tellHosts(plan, packed, { isLife });
    await record(outcomes);
    return outcomes.flatMap(({ applied }) => (applied ? [applied.report] : []));
  }
  const plans = groups.map((hosts) => ({ ...plan, hosts }));
  await eachPart(childrenAtOnce(plans[0]!, packed), plans, async (part, index) => {
    const options = { ...childOfPart(index, part.hosts.length), args: [part, packed] };
    await record((await executeChild('tellKeystores', options)) as KeystoreOutcome[]);
  });
  return [];
}
