import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { readChain } from '../keystore/certificate-chain.js';
import type { TrustAnchors } from '../keystore/trust.js';
import { printable } from '../metalink/printable.js';

/** A server whose certificate does not pass. The message says why, for the operator. */
export class UntrustedServerError extends Error {
  override readonly name = 'UntrustedServerError';
}

interface Handshake {
  host: string;
  /** The server's own certificate, and those above it that it sent or that are trusted; empty when none was seen. */
  presented: readonly X509Certificate[];
  anchors: TrustAnchors;
}

/** A stranger decides how many there are. */
const MAX_CHAIN = 10;

export function presentedChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  // Empty where the server sent none; a root is its own issuer.
  while (next?.raw && chain.length < MAX_CHAIN) {
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  return chain;
}

/** OpenSSL's code where it has taken another one with the name of the issuer for the issuer. */
const WRONG_SIGNATURE = 'CERT_SIGNATURE_FAILURE';
/** OpenSSL's codes for a chain that ends at nobody who is trusted. */
const UNSIGNED = new Set([
  WRONG_SIGNATURE,
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
/** Node's code for all other refusals of OpenSSL, as of a name that the authority may not sign for; the message has the words. */
const UNNAMED = 'UNSPECIFIED';
const CERTIFICATE_CHECK =
  /^(CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|UNABLE_TO_|ERR_TLS_CERT_)/;

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
export const isWrongSignature = (error: unknown): boolean => codeOf(error) === WRONG_SIGNATURE;
export const isUnsigned = (error: unknown): boolean => UNSIGNED.has(String(codeOf(error)));

/** The error itself when it is about something else than certificates. */
export function explainTlsFailure(error: unknown, handshake: Handshake): unknown {
  const code = codeOf(error);
  if (typeof code !== 'string') return error;
  if (code === UNNAMED) {
    return new UntrustedServerError(`its certificate is not trusted (${printable((error as Error).message)})`, {
      cause: error,
    });
  }
  if (!UNSIGNED.has(code) && !CERTIFICATE_CHECK.test(code)) return error;
  return new UntrustedServerError(reasonOf(code, handshake), { cause: error });
}

function reasonOf(code: string, { host, presented, anchors }: Handshake): string {
  const [own] = presented;
  if (UNSIGNED.has(code)) {
    const issuer = presented.at(-1)?.issuer;
    const by = issuer === undefined ? '' : `, issued by ${distinguished(issuer)},`;
    return `its certificate${by} is not signed by ${anchors.missing}`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' && own) {
    return `its certificate is for ${calledBy(own)}, not for ${host}`;
  }
  if (code === 'CERT_HAS_EXPIRED') {
    const isExpired = ({ validTo }: X509Certificate): boolean => Date.parse(validTo) < Date.now();
    // OpenSSL takes one that is trusted before a newer one with its name that the server sends.
    const vouching = anchors.certificates
      .flatMap(({ pem }) => readChain(pem))
      .filter((one) => presented.some((below) => below.checkIssued(one)));
    const expired = presented.find(isExpired) ?? vouching.find(isExpired);
    if (expired) return `${nameOf(expired, anchors)} expired on ${day(expired.validTo)}`;
  }
  if (code === 'CERT_NOT_YET_VALID') {
    const early = presented.find(({ validFrom }) => Date.parse(validFrom) > Date.now());
    if (early) return `${nameOf(early, anchors)} is valid from ${day(early.validFrom)} only`;
  }
  return `its certificate is not trusted (${code})`;
}

/** An operator has to know which of the certificates that they gave is meant. */
function nameOf(certificate: X509Certificate, { certificates }: TrustAnchors): string {
  const trusted = certificates.find(({ pem }) => readChain(pem).some(({ raw }) => raw.equals(certificate.raw)));
  if (trusted) return `the trusted certificate ${trusted.name}, which has to vouch for it,`;
  return `the certificate ${subjectOf(certificate) ?? calledBy(certificate)} in its chain`;
}

/** Node has none, against its types, where the certificate names its subject by other names only (RFC 5280, 4.1.2.6). */
const subjectOf = ({ subject }: X509Certificate): string | undefined =>
  (subject as string | undefined) && distinguished(subject);

const calledBy = (certificate: X509Certificate): string =>
  printable(certificate.subjectAltName ?? subjectOf(certificate) ?? 'nobody');

/** Node gives each part of a name on a line of its own. */
const distinguished = (name: string): string => printable(name.replaceAll('\n', ', '));

const day = (time: string): string => new Date(time).toISOString().slice(0, 10);
