import { isCancellation } from '@temporalio/workflow';
import {
  certificatesFor,
  type KeystoreOrder,
  type KeystoreOutcome,
  type KeystorePlan,
  type KeystoreReport,
} from '../../shared/certificates.js';
import { control, onHost, settleOnHost } from '../activity-proxies.js';
import { failureOf } from '../failure-of.js';
import { mapAtMost } from '../map-at-most.js';
import { hostsAtOnce } from './groups-of-hosts.js';
import { inParts } from './in-parts.js';
import { understoodOutcome } from './understood-outcome.js';

/** Tells each host of a plan what to trust, and records what it says that it has then. */
export async function applyKeystores(
  plan: KeystorePlan,
  packed: Uint8Array,
  { isLife = false } = {},
): Promise<KeystoreReport[]> {
  const { zoneId, generation, certificates } = plan;
  const results = await mapAtMost(hostsAtOnce(plan, packed), plan.hosts, (order) => apply(plan, packed, order, isLife));
  const outcomes = results.filter((outcome) => outcome !== undefined);
  // When all hosts reject all certificates, their answers are too large together.
  for (const part of inParts(outcomes)) {
    await control('record what they have').recordKeystores({ zoneId, generation, certificates, outcomes: part });
  }
  return outcomes.flatMap(({ applied }) => (applied ? [applied.report] : []));
}

/** @returns undefined when the host was told of a later set in the meantime: whoever told it records that */
async function apply(
  { generation, certificates }: KeystorePlan,
  packed: Uint8Array,
  order: KeystoreOrder,
  isLife: boolean,
): Promise<KeystoreOutcome | undefined> {
  const { hostId, hostName } = order;
  const wanted = certificatesFor(order, certificates);
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
