import { executeChild, setCurrentDetails } from '@temporalio/workflow';
import type { KeystoreHosts } from '../../shared/certificates.js';
import { childOfPart, eachPart } from './each-part.js';
import { equipHosts, HOSTS_OF_PLAN } from './equip-hosts.js';
import { inGroups } from './in-groups.js';

const PLANS_AT_ONCE = 2;

/** Makes the certificates of all these hosts what they should be. A host that cannot be reached has its status say so. */
export async function equipZones(due: KeystoreHosts[]): Promise<void> {
  const parts = due.flatMap(({ zoneId, hostIds }) =>
    inGroups(hostIds, HOSTS_OF_PLAN).map((group) => ({ zoneId, hostIds: group })),
  );
  const hosts = due.reduce((sum, { hostIds }) => sum + hostIds.length, 0);
  setCurrentDetails(hosts === 0 ? 'Every host has what it should' : `${hosts} hosts differ`);
  const [only, ...others] = parts;
  if (only && others.length === 0) {
    await equipHosts(only);
    return;
  }
  await eachPart(PLANS_AT_ONCE, parts, (part, index) =>
    executeChild('equipKeystores', { ...childOfPart(index, part.hostIds.length), args: [part] }),
  );
}
