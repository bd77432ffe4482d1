import { isCancellation } from '@temporalio/workflow';
import {
  certificatesFor,
  type KeystoreOrder,
  type KeystoreOutcome,
  type KeystorePlan,
} from '../../shared/certificates.js';
import { onHost, settleOnHost } from '../activity-proxies.js';
import { failureOf } from '../failure-of.js';
import { mapAtMost } from '../map-at-most.js';
import { hostsAtOnce } from './groups-of-hosts.js';
import { understoodOutcome } from './understood-outcome.js';

/**
 * Tells each host of a plan what to trust.
 *
 * @param isLife for `hostLifecycle`: through its own queue, and a host that falls silent is a failure
 */
export async function tellHosts(
  plan: KeystorePlan,
  packed: Uint8Array,
  { isLife = false } = {},
): Promise<KeystoreOutcome[]> {
  const outcomes = await mapAtMost(hostsAtOnce(packed), plan.hosts, (order) => tell(plan, packed, order, isLife));
  return outcomes.filter((outcome) => outcome !== undefined);
}

/** @returns undefined when the host was told of a later set in the meantime: whoever told it records that */
async function tell(
  { generation, certificates }: KeystorePlan,
  packed: Uint8Array,
  order: KeystoreOrder,
  isLife: boolean,
): Promise<KeystoreOutcome | undefined> {
  const { hostId, hostName, without } = order;
  const aliases = certificatesFor(order, certificates).map(({ alias }) => alias);
  try {
    const summary = `${hostName}: ${aliases.length} certificates, generation ${generation}`;
    const host = isLife ? settleOnHost(hostId, summary) : onHost(hostId, summary);
    const applied = await host.applyCertificates({ generation, without }, packed);
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
