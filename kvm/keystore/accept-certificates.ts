import type { DesiredCertificate, RejectedCertificate } from '../../shared/certificates.js';
import { chainFingerprint, readChain } from './certificate-chain.js';
import { isFingerprint } from './keystore-index.js';

export interface AcceptedCertificate {
  alias: string;
  fingerprint: string;
  /** Nothing but certificates. */
  pem: string;
}

/**
 * Which certificates of a set a host can use. One that has expired can be: a download that it breaks tells of it by name.
 */
export function acceptCertificates(certificates: readonly DesiredCertificate[]): {
  accepted: AcceptedCertificate[];
  rejected: RejectedCertificate[];
} {
  const accepted = new Map<string, AcceptedCertificate>();
  const rejected: RejectedCertificate[] = [];
  for (const { alias, fingerprint, pem } of certificates) {
    const read = readCertificate(pem, fingerprint);
    if (accepted.has(alias)) rejected.push({ alias, reason: 'another certificate has its alias' });
    else if ('reason' in read) rejected.push({ alias, reason: read.reason });
    else accepted.set(alias, { alias, fingerprint, pem: read.pem });
  }
  return { accepted: [...accepted.values()], rejected };
}

function readCertificate(pem: string, fingerprint: string): { pem: string } | { reason: string } {
  try {
    const chain = readChain(pem);
    if (chain.length === 0) return { reason: 'it has no certificate in PEM form' };
    if (!isFingerprint(fingerprint) || chainFingerprint(chain) !== fingerprint) {
      return { reason: 'it is not the certificate that its fingerprint names' };
    }
    // Written anew: a key that came along by mistake must not lie on every host.
    return { pem: chain.map(String).join('') };
  } catch {
    return { reason: 'it cannot be read as a certificate' };
  }
}
