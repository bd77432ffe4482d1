import { keystoreDigest } from '../../../kvm/keystore/certificate-chain.js';
import { boundedText } from '../../../shared/bounded-text.js';
import { certificatesFor, type KeystoreOutcome, type ToldCertificate } from '../../../shared/certificates.js';

/** Characters: it comes from the host, and is kept for each certificate. */
const LONGEST_REASON = 1_000;

/** What an outcome says of some certificates on one host. */
export interface Finding {
  certificateIds: string[];
  hostId: string;
  status: 'UPLOADED' | 'FAILED';
  reason: string | null;
  /** Otherwise a host that had it before has it still. */
  isCertain: boolean;
}

export interface Judgement {
  hostId: string;
  hostName: string;
  findings: Finding[];
  /** Why the host may still trust what it should not; null when it has confirmed that it does not. */
  failure: string | null;
}

/** Says what a host has of what it was told, going by the fingerprints that it has confirmed. */
export function createJudge(
  generation: number,
  told: readonly ToldCertificate[],
): (outcome: KeystoreOutcome) => Judgement {
  // What most hosts confirm: for each of a thousand anew, it took more time than all else that is done here.
  const whole = { digest: keystoreDigest(told), ids: idsOf(told) };
  const setOf = (certificates: readonly ToldCertificate[]) =>
    certificates.length === told.length ? whole : { digest: keystoreDigest(certificates), ids: idsOf(certificates) };
  return (outcome) => {
    const { hostId, hostName, applied } = outcome;
    const wanted = certificatesFor(outcome, told);
    const all = (text: string, isCertain: boolean): Judgement => {
      const failure = boundedText(text, LONGEST_REASON);
      const certificateIds = idsOf(wanted);
      return {
        hostId,
        hostName,
        findings: [{ certificateIds, hostId, status: 'FAILED', reason: failure, isCertain }],
        failure,
      };
    };
    if (!applied) return all(outcome.failure ?? 'The host did not answer', false);
    const { report, rejected } = applied;
    const reasonOf = (alias: string) => {
      const reason = rejected.find((one) => one.alias === alias)?.reason;
      return reason === undefined ? undefined : boundedText(reason, LONGEST_REASON);
    };
    const accepted = setOf(wanted.filter(({ alias }) => reasonOf(alias) === undefined));
    if (report.generation !== generation || report.digest !== accepted.digest) {
      return all('The host has other certificates than it was given', true);
    }
    const has: Finding = { certificateIds: accepted.ids, hostId, status: 'UPLOADED', reason: null, isCertain: true };
    const hasNot = wanted.flatMap(({ id, alias }): Finding[] => {
      const reason = reasonOf(alias);
      return reason === undefined ? [] : [{ certificateIds: [id], hostId, status: 'FAILED', reason, isCertain: true }];
    });
    return { hostId, hostName, findings: [has, ...hasNot], failure: null };
  };
}

const idsOf = (certificates: readonly ToldCertificate[]): string[] => certificates.map(({ id }) => id);
