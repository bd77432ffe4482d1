import { keystoreDigest } from '../../../kvm/keystore/certificate-chain.js';
import { boundedText } from '../../../shared/bounded-text.js';
import type { DesiredCertificate, KeystoreOutcome } from '../../../shared/certificates.js';

/** Characters: it comes from the host, and is kept for each certificate. */
const LONGEST_REASON = 1_000;

export type ToldCertificate = Pick<DesiredCertificate, 'alias' | 'fingerprint'> & { id: string };

/** What an outcome says of one certificate on one host. */
export interface Finding {
  certificateId: string;
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

/** What a host has of what it was told, going by the fingerprints that it has confirmed. */
export function judgeKeystore(generation: number, told: ToldCertificate[], outcome: KeystoreOutcome): Judgement {
  const { hostId, hostName, certificateIds, applied } = outcome;
  const wanted = certificateIds ? told.filter(({ id }) => certificateIds.includes(id)) : told;
  const all = (text: string, isCertain: boolean): Judgement => {
    const failure = boundedText(text, LONGEST_REASON);
    const finding = { hostId, status: 'FAILED', reason: failure, isCertain } as const;
    return { hostId, hostName, findings: wanted.map(({ id }) => ({ ...finding, certificateId: id })), failure };
  };
  if (!applied) return all(outcome.failure ?? 'The host did not answer', false);
  const { report, rejected } = applied;
  const reasonOf = (alias: string) => {
    const reason = rejected.find((one) => one.alias === alias)?.reason;
    return reason === undefined ? undefined : boundedText(reason, LONGEST_REASON);
  };
  const accepted = wanted.filter(({ alias }) => reasonOf(alias) === undefined);
  if (report.generation !== generation || report.digest !== keystoreDigest(accepted)) {
    return all('The host has other certificates than it was given', true);
  }
  return {
    hostId,
    hostName,
    findings: wanted.map(({ id, alias }): Finding => {
      const reason = reasonOf(alias) ?? null;
      const status = reason === null ? 'UPLOADED' : 'FAILED';
      return { certificateId: id, hostId, status, reason, isCertain: true };
    }),
    failure: null,
  };
}
