import { executeChild } from '@temporalio/workflow';
import type { KeystoreHosts, KeystoreOutcome, TellKeystoresInput } from '../../shared/certificates.js';
import { control } from '../activity-proxies.js';
import { childrenAtOnce } from './children-at-once.js';
import { childOfPart, eachPart } from './each-part.js';
import { inGroups } from './in-groups.js';
import { createRecorder } from './record-outcomes.js';

/**
 * Hosts of one plan. A host may have a set of its own of all that a zone may have: orders of more hosts would not fit into
 * one message.
 */
export const HOSTS_OF_PLAN = 500;

/** Of a child: its history stays small, and what it records fits into one message. */
const HOSTS_OF_CHILD = 50;

/**
 * Makes the certificates of hosts of one zone, of a plan's number at most, equal what they should be, and records what
 * each host says that it has. Hosts that have what they should are not asked.
 */
export async function equipHosts(due: KeystoreHosts): Promise<void> {
  const plan = await control('what are these hosts to trust?').planKeystores(due);
  if (plan.hosts.length === 0) return;
  const packed = await control('the certificates themselves').packKeystore({ certificates: plan.certificates });
  const record = createRecorder(plan);
  const parts = inGroups(plan.hosts, HOSTS_OF_CHILD).map((hosts) => ({ ...plan, hosts }));
  await eachPart(childrenAtOnce(parts[0]!, packed), parts, async (part, index) => {
    const args: TellKeystoresInput = [part, packed];
    const options = { ...childOfPart(index, part.hosts.length), args };
    await record((await executeChild('tellKeystores', options)) as KeystoreOutcome[]);
  });
}
