import type { ApplyCertificatesResult, KeystoreOutcome } from '../../../shared/certificates.js';

/** What a host answered, if it is an answer: one host's nonsense must not keep from being recorded what others say. */
export const understoodOutcome = (outcome: KeystoreOutcome): KeystoreOutcome =>
  outcome.applied === undefined || isAnswer(outcome.applied)
    ? outcome
    : { ...outcome, applied: undefined, failure: 'The host answered something that no host worker answers' };

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
