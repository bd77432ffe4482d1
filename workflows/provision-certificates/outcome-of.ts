import { isCancellation } from '@temporalio/workflow';
import {
  type ApplyCertificatesResult,
  certificatesFor,
  type KeystoreOrder,
  type KeystoreOutcome,
  type KeystorePlan,
} from '../../shared/certificates.js';
import type { ErrorCode } from '../../shared/errors.js';
import { failureOf } from '../failure-of.js';
import { understoodOutcome } from './understood-outcome.js';

/** How an order reads in the Temporal Web UI. */
export const summaryOf = ({ generation, certificates }: KeystorePlan, order: KeystoreOrder): string =>
  `${order.hostName}: ${certificatesFor(order, certificates).length} certificates, generation ${generation}`;

/**
 * What came of an order. No async function: with hundreds of hosts, what the SDK keeps of each promise for the call stacks of
 * the Web UI is most of what this costs.
 *
 * @param fatal what the caller is to be thrown
 * @returns undefined when the host was told of a later set in the meantime: whoever told it records that
 */
export function outcomeOf(
  { certificates }: KeystorePlan,
  order: KeystoreOrder,
  answer: Promise<ApplyCertificatesResult>,
  fatal?: ErrorCode,
): Promise<KeystoreOutcome | undefined> {
  const aliases = certificatesFor(order, certificates).map(({ alias }) => alias);
  return answer.then(
    (applied) => understoodOutcome({ ...order, applied }, aliases),
    (error: unknown) => {
      const { code, message } = failureOf(error);
      if (isCancellation(error) || code === fatal) throw error;
      return code === 'SLIPWAY_FENCED' ? undefined : understoodOutcome({ ...order, failure: message }, aliases);
    },
  );
}
