import { condition, isCancellation } from '@temporalio/workflow';
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
import { createRecorder } from './record-outcomes.js';
import { understoodOutcome } from './understood-outcome.js';

/** How long answers wait for those of the other hosts: well within the 10 s for which an API call waits for all. */
const PATIENCE = '3 s';

/**
 * Tells each host of a plan what to trust. A host that does not answer keeps nobody waiting for what the others said: that is
 * recorded meanwhile.
 *
 * @param isLife for `hostLifecycle`: through its own queue, and a host that falls silent is a failure
 * @returns what is still to be recorded
 */
export async function tellHosts(
  plan: KeystorePlan,
  packed: Uint8Array,
  { isLife = false } = {},
): Promise<KeystoreOutcome[]> {
  const record = createRecorder(plan);
  const answers: KeystoreOutcome[] = [];
  const telling = mapAtMost(hostsAtOnce(packed), plan.hosts, async (order) => {
    const outcome = await tell(plan, packed, order, isLife);
    if (outcome) answers.push(outcome);
  });
  let isOver = false;
  const over = (): boolean => (isOver = true);
  void telling.then(over, over);
  for (;;) {
    await condition(() => isOver || answers.length > 0);
    if (await condition(() => isOver, PATIENCE)) break;
    await record(answers.splice(0));
  }
  await telling;
  return answers;
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
