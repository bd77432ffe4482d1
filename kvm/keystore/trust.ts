import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';

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
  /** What a server that is not trusted lacks: "is not signed by …", with what can be done about it. */
  missing: string;
}

export type Trust = () => TrustAnchors;

export const PUBLIC_ROOTS: TrustAnchors = { certificates: [], secureContext: undefined, missing: 'a public root' };

/** @param present the certificates to trust; the same list as long as they are the same */
export function createTrust(present: () => readonly TrustedCertificate[], missing: string): Trust {
  let anchors: TrustAnchors | undefined;
  return () => {
    const certificates = present();
    // To read all public roots takes tens of milliseconds: once for each set, not for each connection.
    if (anchors?.certificates !== certificates) {
      anchors = { certificates, secureContext: secureContextOf(certificates), missing };
    }
    return anchors;
  };
}

function secureContextOf(certificates: readonly TrustedCertificate[]): SecureContext | undefined {
  if (certificates.length === 0) return undefined;
  return createSecureContext({
    // It replaces the public roots, so that they have to be named too.
    ca: [...rootCertificates, ...certificates.map(({ pem }) => pem)],
    // A server's own certificate, or that of the authority just above it, is enough without the root: whoever uploads one
    // means to trust no more than that.
    allowPartialTrustChain: true,
  });
}
