import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type DesiredKeystore, MOST_KEYSTORE_BYTES, type ToldKeystore } from '../../shared/certificates.js';

/** Beside the PEM texts: fingerprints and quotes. A bound, so that what comes from elsewhere cannot fill the memory. */
const MOST_BYTES = 2 * MOST_KEYSTORE_BYTES + 64 * 1024;

/**
 * PEM texts by fingerprint, as they go to hosts. Half of their size: each host of a zone is sent all of them, and Temporal
 * copies, keeps and collects what it sends many times over.
 */
export const packCertificates = (certificates: readonly { fingerprint: string; pem: string }[]): Uint8Array =>
  deflateRawSync(JSON.stringify(Object.fromEntries(certificates.map(({ fingerprint, pem }) => [fingerprint, pem]))));

/**
 * The set that a host was told of.
 *
 * @throws Error when `packed` is not what `packCertificates` makes
 */
export function unpackKeystore({ generation, named }: ToldKeystore, packed: Uint8Array): DesiredKeystore {
  const texts = JSON.parse(String(inflateRawSync(packed, { maxOutputLength: MOST_BYTES }))) as Record<string, string>;
  return {
    generation,
    // One that is not there is rejected by name, as one that cannot be read is.
    certificates: named.map(({ alias, fingerprint }) => ({ alias, fingerprint, pem: texts[fingerprint] ?? '' })),
  };
}
