import { type Digest, digestStrength, formatDigest } from './checksum.js';
import { SlipwayError } from './errors.js';

/** What the operator gave, and the strongest hash of the metalink document: both must hold. */
export function expectedDigests(given: Digest | null | undefined, announced: readonly Digest[]): Digest[] {
  const strongest = [...announced].sort((a, b) => digestStrength(b.algorithm) - digestStrength(a.algorithm))[0];
  const expected = given ? [given] : [];
  if (strongest && !(given?.algorithm === strongest.algorithm && given.value === strongest.value)) {
    expected.push(strongest);
  }
  return expected;
}

/**
 * @param computed while the bytes were written
 * @throws SlipwayError SLIPWAY_CHECKSUM_MISMATCH
 */
export function verifyDigests(expected: readonly Digest[], computed: readonly Digest[]): void {
  for (const digest of expected) {
    const found = computed.find(({ algorithm }) => algorithm === digest.algorithm);
    if (found?.value === digest.value) continue;
    throw new SlipwayError(
      'SLIPWAY_CHECKSUM_MISMATCH',
      `Checksum validation failed: expected ${formatDigest(digest)}, actual ${found ? formatDigest(found) : 'not computed'}`,
    );
  }
}
