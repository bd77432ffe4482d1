import { boundedText } from '../../shared/bounded-text.js';
import { type ApplyCertificatesResult, DIGEST_LENGTH, type KeystoreOutcome } from '../../shared/certificates.js';
import { NO_ANSWER } from '../../shared/hosts.js';

/** Characters of a reason: with one for each of as many certificates as a zone may have, one host's fit into one message. */
const LONGEST_REASON = 250;

/**
 * What a host answered, if it is an answer, and no more of it than there can be: one host's nonsense must not keep from
 * being recorded what others say.
 *
 * @param aliases that the host was told of
 */
export function understoodOutcome(outcome: KeystoreOutcome, aliases: readonly string[]): KeystoreOutcome {
  const { applied, failure, ...order } = outcome;
  if (applied === undefined) return { ...order, failure: failure && boundedText(failure, LONGEST_REASON) };
  if (!isAnswer(applied)) return { ...order, failure: NO_ANSWER };
  const { generation, digest } = applied.report;
  const reasons = new Map(applied.rejected.map(({ alias, reason }) => [alias, reason]));
  const rejected = [...new Set(aliases)].flatMap((alias) => {
    const reason = reasons.get(alias);
    return reason === undefined ? [] : [{ alias, reason: boundedText(reason, LONGEST_REASON) }];
  });
  return { ...order, applied: { report: { generation, digest: boundedText(digest, DIGEST_LENGTH) }, rejected } };
}

function isAnswer(said: unknown): said is ApplyCertificatesResult {
  const { report, rejected } = fieldsOf(said);
  const { generation, digest } = fieldsOf(report);
  return (
    Number.isSafeInteger(generation) &&
    Number(generation) >= 0 &&
    typeof digest === 'string' &&
    Array.isArray(rejected) &&
    rejected.every((one: unknown) => {
      const { alias, reason } = fieldsOf(one);
      return typeof alias === 'string' && typeof reason === 'string';
    })
  );
}

const fieldsOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
