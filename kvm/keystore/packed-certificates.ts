import { deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  certificatesFor,
  type DesiredCertificate,
  type DesiredKeystore,
  MOST_KEYSTORE_BYTES,
  type ToldKeystore,
} from '../../shared/certificates.js';

/** Beside the PEM texts: names and quotes. A bound, so that what comes from elsewhere cannot fill the memory. */
const MOST_BYTES = 2 * MOST_KEYSTORE_BYTES + 256 * 1024;

type Packed = [alias: string, fingerprint: string, pem: string];

/**
 * The certificates of a plan, as they go to its hosts. Half of their size: each host of a zone is sent all of them, and
 * Temporal copies, keeps and collects what it sends many times over.
 */
export const packCertificates = (certificates: readonly DesiredCertificate[]): Uint8Array =>
  deflateRawSync(JSON.stringify(certificates.map(({ alias, fingerprint, pem }): Packed => [alias, fingerprint, pem])));

/**
 * The set that a host was told of.
 *
 * @throws Error when `packed` is not what `packCertificates` makes
 */
export function unpackKeystore({ generation, without }: ToldKeystore, packed: Uint8Array): DesiredKeystore {
  const all = JSON.parse(String(inflateRawSync(packed, { maxOutputLength: MOST_BYTES }))) as Packed[];
  const wanted = certificatesFor({ without }, all);
  return { generation, certificates: wanted.map(([alias, fingerprint, pem]) => ({ alias, fingerprint, pem })) };
}
