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
import { inParts } from './in-parts.js';
import { understoodOutcome } from './understood-outcome.js';

/**
 * Of what goes to hosts at once. More than Temporal keeps in memory of recent events (512 KiB) would be read from its
 * database again for each host, all of it. Every host that answers alone is a task of the workflow, so: as many as can be.
 */
const BYTES_AT_ONCE = 448 * 1024;

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
  const { generation, certificates } = plan;
  const certificateIds = certificates.map(({ id }) => id);
  const packed = await control('the certificates themselves').packKeystore({ certificateIds });
  const results = await mapAtMost(hostsAtOnce(plan, packed), plan.hosts, (order) => equip(plan, packed, order, isLife));
  const outcomes = results.filter((outcome) => outcome !== undefined);
  // When all hosts reject all certificates, their answers are too large together.
  for (const part of inParts(outcomes)) {
    await control('record what they have').recordKeystores({ zoneId, generation, certificates, outcomes: part });
  }
  return outcomes.flatMap(({ applied }) => (applied ? [applied.report] : []));
}

const hostsAtOnce = ({ certificates }: KeystorePlan, { byteLength }: Uint8Array): number =>
  Math.max(1, Math.floor(BYTES_AT_ONCE / (byteLength + JSON.stringify(certificates).length)));

/** @returns undefined when the host was told of a later set in the meantime: whoever told it records that */
async function equip(
  { generation, certificates }: KeystorePlan,
  packed: Uint8Array,
  order: KeystoreOrder,
  isLife: boolean,
): Promise<KeystoreOutcome | undefined> {
  const { hostId, hostName, certificateIds } = order;
  const wanted = certificateIds ? certificates.filter(({ id }) => certificateIds.includes(id)) : certificates;
  const told = { generation, named: wanted.map(({ alias, fingerprint }) => ({ alias, fingerprint })) };
  const aliases = wanted.map(({ alias }) => alias);
  try {
    const summary = `${hostName}: ${wanted.length} certificates, generation ${generation}`;
    const host = isLife ? settleOnHost(hostId, summary) : onHost(hostId, summary);
    const applied = await host.applyCertificates(told, packed);
    return understoodOutcome({ ...order, applied }, aliases);
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    if (isLife && failure.code === 'SLIPWAY_HOST_UNREACHABLE') throw error;
    return failure.code === 'SLIPWAY_FENCED'
      ? undefined
      : understoodOutcome({ ...order, failure: failure.message }, aliases);
  }
}
