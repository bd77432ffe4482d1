import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { readChain } from './certificate-chain.js';

/** Vouches for servers beside the public roots: an authority, or a server itself. */
export interface TrustedCertificate {
  /** What an operator knows it by. */
  name: string;
  /** One or more certificates: each of them vouches. */
  pem: string;
}

/** What connections made now are checked against. Another object as soon as other certificates are trusted. */
export interface TrustAnchors {
  certificates: readonly TrustedCertificate[];
  /** Undefined for the public roots alone. */
  secureContext: SecureContext | undefined;
  /**
   * To be tried where a signature does not fit: of authorities that share a name, as before and after one changed its key,
   * each has but one. OpenSSL looks at the first that it finds, where certificates do not say by which key they were signed.
   */
  alternatives: readonly (() => SecureContext)[];
  /** What a server that is not trusted lacks: "is not signed by …", with what can be done about it. */
  missing: string;
}

export type Trust = () => TrustAnchors;

export const PUBLIC_ROOTS: TrustAnchors = {
  certificates: [],
  secureContext: undefined,
  alternatives: [],
  missing: 'a public root',
};

/** @param present the certificates to trust; the same list as long as they are the same */
export function createTrust(present: () => readonly TrustedCertificate[], missing: string): Trust {
  let anchors: TrustAnchors | undefined;
  return () => {
    const certificates = present();
    // To read all public roots takes tens of milliseconds: once for each set, not for each connection.
    if (anchors?.certificates !== certificates) {
      const pems = certificates.map(({ pem }) => pem);
      anchors = {
        certificates,
        secureContext: pems.length > 0 ? secureContextOf(pems) : undefined,
        alternatives: namesApart(pems).map((apart) => once(() => secureContextOf(apart))),
        missing,
      };
    }
    return anchors;
  };
}

function secureContextOf(pems: readonly string[]): SecureContext {
  return createSecureContext({
    // It replaces the public roots, so that they have to be named too.
    ca: [...rootCertificates, ...pems],
    // A server's own certificate, or that of the authority just above it, is enough without the root: whoever uploads one
    // means to trust no more than that.
    allowPartialTrustChain: true,
  });
}

/** Each is a connection more. */
const MOST_ALTERNATIVES = 8;

/** All certificates several times, each time with another one of each name; nothing when no name has several. */
function namesApart(pems: readonly string[]): string[][] {
  const byName = new Map<string, Set<string>>();
  for (const certificate of pems.flatMap(readChain)) {
    const { subject } = certificate;
    byName.set(subject, (byName.get(subject) ?? new Set()).add(String(certificate)));
  }
  const ofNames = [...byName.values()].map((certificates) => [...certificates]);
  const most = Math.max(0, ...ofNames.map(({ length }) => length));
  if (most < 2) return [];
  return Array.from({ length: Math.min(most, MOST_ALTERNATIVES) }, (_, n) =>
    ofNames.map((certificates) => certificates[Math.min(n, certificates.length - 1)]!),
  );
}

function once<Value>(make: () => Value): () => Value {
  let made: { value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
