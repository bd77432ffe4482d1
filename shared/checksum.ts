/**
 * Checksums in CloudStack's form `{ALGORITHM}HASH`; a plain hash is MD5 by CloudStack's rule. Names and hex digits are
 * taken in any case: CloudStack compares case-sensitively, so that upper-case hex never matches there.
 */
export const DIGEST_ALGORITHMS = ['MD5', 'SHA-1', 'SHA-224', 'SHA-256', 'SHA-384', 'SHA-512'] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** `value` is lower-case hex. */
export interface Digest {
  algorithm: DigestAlgorithm;
  value: string;
}

export const DIGEST_HEX_LENGTH: Record<DigestAlgorithm, number> = {
  MD5: 32,
  'SHA-1': 40,
  'SHA-224': 56,
  'SHA-256': 64,
  'SHA-384': 96,
  'SHA-512': 128,
};

/** IANA names (RFC 5854), metalink 3 names (without the dash) and CloudStack's, in any case. */
export function digestAlgorithm(name: string): DigestAlgorithm | undefined {
  const canonical = name.toUpperCase().replace(/^SHA-?(\d+)$/, 'SHA-$1');
  return DIGEST_ALGORITHMS.find((algorithm) => algorithm === canonical);
}

export type ChecksumParse = { digest: Digest } | { problem: string };

export function parseChecksum(text: string): ChecksumParse {
  const match = /^\s*(?:\{([^}]*)\})?\s*([^{}\s]+)\s*$/.exec(text);
  if (!match?.[2]) return { problem: 'Checksum is not of the form {ALGORITHM}HASH' };
  const name = match[1] ?? 'MD5';
  const algorithm = digestAlgorithm(name);
  if (!algorithm) {
    return {
      problem: `Algorithm ${name} was provided but it is not one of the supported algorithms: ${DIGEST_ALGORITHMS.join(', ')}`,
    };
  }
  const value = match[2].toLowerCase();
  const length = DIGEST_HEX_LENGTH[algorithm];
  if (value.length !== length) {
    return { problem: `Checksum digest length should be ${length} instead of ${value.length}` };
  }
  if (!/^[0-9a-f]+$/.test(value)) return { problem: 'Checksum has characters that are not hexadecimal digits' };
  return { digest: { algorithm, value } };
}

export const formatDigest = ({ algorithm, value }: Digest): string => `{${algorithm}}${value}`;

/** Strongest last; used to pick the one hash of a metalink that must hold. */
export const digestStrength = (algorithm: DigestAlgorithm): number => DIGEST_ALGORITHMS.indexOf(algorithm);
