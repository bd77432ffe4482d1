import { createHash, X509Certificate } from 'node:crypto';
import type { DesiredCertificate } from '../../shared/certificates.js';

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
