import { X509Certificate } from 'node:crypto';
import type { CertificateFacts } from '../../db/certificates.js';
import { chainFingerprint } from '../../kvm/keystore/certificate-chain.js';
import { SlipwayError } from '../../shared/errors.js';
import { certificateVersion } from './certificate-version.js';

const BLOCK = /-----BEGIN ([^-]+)-----([\s\S]*?)-----END \1-----/g;
/** The second is a name of the same, from before RFC 7468. */
const LABELS = new Set(['CERTIFICATE', 'X509 CERTIFICATE']);

/**
 * Reads a certificate, or a chain whose order is kept: PEM (RFC 7468), or the base64 of one certificate without header
 * and footer, however its lines are broken. No error has any of the text in it, since by mistake it may be a private key.
 *
 * @throws SlipwayError SLIPWAY_CERTIFICATE_INVALID
 */
export function readCertificate(text: string, now: Date): CertificateFacts {
  if (/PRIVATE KEY/i.test(text)) {
    throw invalid('The text has a private key in it, which nobody but its server may know. Give the certificate alone');
  }
  const chain = bodiesOf(text).map(parse);
  const [first] = chain;
  if (!first) throw unreadable();
  for (const [index, certificate] of chain.entries()) requireValidity(certificate, index, chain.length, now);
  return {
    certificate: chain.map(String).join(''),
    fingerprint: chainFingerprint(chain),
    subject: nameOf(first.subject),
    issuer: nameOf(first.issuer),
    serialNumber: decimal(first.serialNumber),
    version: certificateVersion(first.raw),
    notBefore: new Date(Math.max(...chain.map(({ validFrom }) => Date.parse(validFrom)))).toISOString(),
    notAfter: new Date(Math.min(...chain.map(({ validTo }) => Date.parse(validTo)))).toISOString(),
  };
}

function bodiesOf(text: string): string[] {
  if (!text.includes('-----')) return [text];
  const blocks = [...text.matchAll(BLOCK)];
  // A chain that was cut off while it was copied would be trusted as far as it goes, and no further.
  const edges = text.match(/-----(?:BEGIN|END) /g) ?? [];
  if (blocks.length === 0 || edges.length !== 2 * blocks.length) throw unreadable();
  return blocks.map(([, label = '', body = '']) => {
    if (!LABELS.has(label)) throw invalid('The text has something else than certificates in it');
    return body;
  });
}

function parse(body: string): X509Certificate {
  const base64 = body.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw unreadable();
  const der = Buffer.from(base64, 'base64');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
  } catch {
    throw unreadable();
  }
  // OpenSSL does not mind what comes behind a certificate, and takes PEM for DER.
  if (!certificate.raw.equals(der)) throw unreadable();
  return certificate;
}

function requireValidity({ validFrom, validTo }: X509Certificate, index: number, length: number, now: Date): void {
  const which = length === 1 ? '' : ` (number ${index + 1} of ${length})`;
  const [from, to] = [new Date(validFrom), new Date(validTo)];
  const problem = (text: string, when: Date) =>
    invalid(
      `Certificate is invalid. Please provide a valid certificate. Error: it${which} ${text} ${when.toISOString()}`,
    );
  if (Number.isNaN(from.getTime()) || Number.isNaN(to.getTime())) throw unreadable();
  if (now < from) throw problem('is not valid before', from);
  if (now > to) throw problem('expired on', to);
}

/** As Java shows distinguished names: the most particular part first. Node has none for one without parts (RFC 5280, 4.1.2.6). */
const nameOf = (name: string | undefined): string =>
  (name ?? '')
    .split('\n')
    .toReversed()
    .map((part) => part.replace(/^emailAddress=/, 'EMAILADDRESS='))
    .join(', ');

const decimal = (hex: string): string =>
  hex.startsWith('-') ? `-${BigInt(`0x${hex.slice(1)}`)}` : String(BigInt(`0x${hex}`));

const invalid = (message: string) => new SlipwayError('SLIPWAY_CERTIFICATE_INVALID', message);
const unreadable = () => invalid('The text cannot be read as a certificate, nor as a chain of certificates');
