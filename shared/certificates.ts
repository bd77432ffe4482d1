import { createHash, X509Certificate } from 'node:crypto';

/** Certificates that hosts trust for downloads beside the public roots. Everything here crosses Temporal: plain JSON. */

export interface DesiredCertificate {
  alias: string;
  /** SHA-256 of the whole chain's DER, in the order of the PEM; lower-case hex. */
  fingerprint: string;
  /** One or more CERTIFICATE blocks. */
  pem: string;
}

/** All that a host shall trust. Grows by generations: a host refuses an older set than it has. */
export interface DesiredKeystore {
  generation: number;
  certificates: DesiredCertificate[];
}

/** What a host has on its disk, whatever it was told. */
export interface KeystoreReport {
  /** Of the set that it was last told, 0 before the first. */
  generation: number;
  /** `keystoreDigest` of what its files hold. */
  digest: string;
}

export interface RejectedCertificate {
  alias: string;
  reason: string;
}

export interface ApplyCertificatesResult {
  report: KeystoreReport;
  rejected: RejectedCertificate[];
}

/** SHA-256, in lower-case hex, of the sorted lines `alias fingerprint\n`: equal sets have equal digests. */
export function keystoreDigest(entries: readonly Pick<DesiredCertificate, 'alias' | 'fingerprint'>[]): string {
  const lines = entries.map(({ alias, fingerprint }) => `${alias} ${fingerprint}\n`).sort();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g;

/**
 * The certificates of a PEM text, in its order; none when it has no CERTIFICATE block.
 *
 * @throws Error of OpenSSL when a block holds something else
 */
export const readChain = (pem: string): X509Certificate[] =>
  (pem.match(BLOCK) ?? []).map((block) => new X509Certificate(block));

/** As `DesiredCertificate.fingerprint`. */
export function chainFingerprint(chain: readonly X509Certificate[]): string {
  const hash = createHash('sha256');
  for (const { raw } of chain) hash.update(raw);
  return hash.digest('hex');
}
