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
  certificates: readonly DesiredCertificate[];
}

/**
 * As a host is told of it; the certificates of its plan are elsewhere, packed. Not by the names of `DesiredKeystore`: a host
 * worker of an older version, which expects that, would find nothing in it, and trust nothing any more. So it fails, and
 * keeps what it has.
 */
export interface ToldKeystore extends Pick<KeystoreOrder, 'without'> {
  generation: number;
}

/** No zone comes to as many generations. */
export const MOST_GENERATIONS = 2 ** 48;

/**
 * Of what hosts say that they have; 0 when none is believed. Were the last ones believed, there would be none left for sets
 * that are to come, and every one of them would be refused.
 */
export const latestGeneration = (said: readonly (number | null)[]): number =>
  Math.max(0, ...said.map((generation) => generation ?? 0).filter((generation) => generation < MOST_GENERATIONS / 2));

/** Characters of a digest: SHA-256 in hex. */
export const DIGEST_LENGTH = 64;

/** What a host has on its disk, whatever it was told. */
export interface KeystoreReport {
  /** Of the set that it was last told, 0 before the first. */
  generation: number;
  /** `keystoreDigest` (`kvm/keystore/certificate-chain.ts`) of what its files hold. */
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

export type ToldCertificate = Omit<DesiredCertificate, 'pem'> & { id: string };

/** What a host of a zone is to be told. */
export interface KeystoreOrder {
  hostId: string;
  hostName: string;
  /** Places in the plan of certificates that are not for it. Numbers: a host may have a set of its own of hundreds. */
  without?: number[] | undefined;
}

/** What hosts of a zone are to trust. */
export interface KeystorePlan {
  zoneId: string;
  generation: number;
  certificates: ToldCertificate[];
  /** Those that are not what they should be. */
  hosts: KeystoreOrder[];
}

/** Arguments of `tellKeystores`. Its hosts read the certificates, packed, where it was started with them. */
export type TellKeystoresInput = [plan: KeystorePlan, packed: Uint8Array];

/** What of a plan a host is to have. */
export function certificatesFor<Certificate>(
  { without }: Pick<KeystoreOrder, 'without'>,
  certificates: readonly Certificate[],
): readonly Certificate[] {
  if (!without) return certificates;
  const places = new Set(without);
  return certificates.filter((_, place) => !places.has(place));
}

/** What came of an order. */
export interface KeystoreOutcome extends KeystoreOrder {
  /** What the host says it has now; missing when it could not be asked, or failed. */
  applied?: ApplyCertificatesResult | undefined;
  /** Why it has not what it should. */
  failure?: string | undefined;
}

export interface ProvisionCertificatesInput {
  zoneId: string;
}

export interface KeystoreHosts {
  zoneId: string;
  hostIds: string[];
}

/**
 * Bytes of all certificates of a zone: a set goes to a host as one message, and to whoever tells many hosts a few times at
 * once, which has to stay below what Temporal takes in one.
 */
export const MOST_KEYSTORE_BYTES = 256 * 1024;
