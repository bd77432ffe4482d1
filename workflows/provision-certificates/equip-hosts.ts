import { isCancellation } from '@temporalio/workflow';
import type {
  KeystoreHosts,
  KeystoreOrder,
  KeystoreOutcome,
  KeystorePlan,
  KeystoreReport,
} from '../../shared/certificates.js';
import { control, onHost, settleOnHost } from '../activity-proxies.js';
import { failureOf } from '../failure-of.js';
import { mapAtMost } from '../map-at-most.js';

/**
 * Of what goes to hosts at once. More than Temporal keeps in memory of recent events (512 KiB) would be read from its
 * database again for each host, all of it; more than 4 MiB it takes in no message.
 */
const BYTES_AT_ONCE = 256 * 1024;
const MOST_HOSTS_AT_ONCE = 50;

/**
 * Makes the certificates of hosts of one zone equal what they should be, and records what each host says that it has.
 * Hosts that have what they should are not asked.
 *
 * @param isLife for `hostLifecycle`: through its own queue, and a host that falls silent is a failure
 * @returns what hosts say that they have now
 */
export async function equipHosts(
  { zoneId, hostIds }: KeystoreHosts,
  { isLife = false } = {},
): Promise<KeystoreReport[]> {
  const plan = await control('what are these hosts to trust?').planKeystores({ zoneId, hostIds });
  if (plan.hosts.length === 0) return [];
  const results = await mapAtMost(hostsAtOnce(plan), plan.hosts, (order) => equip(plan, order, isLife));
  const outcomes = results.filter((outcome) => outcome !== undefined);
  const certificates = plan.certificates.map(({ id, alias, fingerprint }) => ({ id, alias, fingerprint }));
  const { generation } = plan;
  if (outcomes.length > 0) {
    await control('record what they have').recordKeystores({ zoneId, generation, certificates, outcomes });
  }
  return outcomes.flatMap(({ applied }) => (applied ? [applied.report] : []));
}

function hostsAtOnce({ certificates }: KeystorePlan): number {
  const sizeBytes = certificates.reduce((sum, { pem }) => sum + pem.length, 0);
  return Math.max(1, Math.min(MOST_HOSTS_AT_ONCE, Math.floor(BYTES_AT_ONCE / sizeBytes)));
}

/** @returns undefined when the host was told of a later set in the meantime: whoever told it records that */
async function equip(
  { generation, certificates }: KeystorePlan,
  order: KeystoreOrder,
  isLife: boolean,
): Promise<KeystoreOutcome | undefined> {
  const { hostId, hostName, certificateIds } = order;
  const wanted = certificateIds ? certificates.filter(({ id }) => certificateIds.includes(id)) : certificates;
  const desired = {
    generation,
    certificates: wanted.map(({ alias, fingerprint, pem }) => ({ alias, fingerprint, pem })),
  };
  try {
    const summary = `${hostName}: ${wanted.length} certificates, generation ${generation}`;
    return { ...order, applied: await (isLife ? settleOnHost : onHost)(hostId, summary).applyCertificates(desired) };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    if (isLife && failure.code === 'SLIPWAY_HOST_UNREACHABLE') throw error;
    return failure.code === 'SLIPWAY_FENCED' ? undefined : { ...order, failure: failure.message };
  }
}
