import { type Digest, formatDigest } from '../../shared/checksum.js';
import { type ErrorCode, failoverOf } from '../../shared/errors.js';

/** A source may deliver wrong bytes once; three times in a row is the image's own fault. */
const MAX_ATTEMPTS = 3;

/** Whether the bytes themselves are wrong, and have to be thrown away. */
export const isOfBytes = (code: ErrorCode): boolean =>
  code === 'SLIPWAY_CHECKSUM_MISMATCH' || failoverOf(code) === 'otherBytes';

/** One download that brought bytes that cannot be used. */
export interface WrongBytes {
  code: ErrorCode;
  /** A hash says that these are the right bytes. */
  isVouched: boolean;
  digests: readonly Digest[];
}

/**
 * Whether to download once more, when all attempts so far brought wrong bytes.
 *
 * @param hasOthers whether there are sources that are not known to have sent wrong bytes
 */
export function isWorthAnother(attempts: readonly WrongBytes[], hasOthers: boolean): boolean {
  const last = attempts.at(-1);
  if (!last || last.isVouched || attempts.length >= MAX_ATTEMPTS) return false;
  if (hasOthers) return true;
  // No accident of the transfer makes the same wrong bytes twice.
  return (
    last.code === 'SLIPWAY_CHECKSUM_MISMATCH' && !attempts.slice(0, -1).some((other) => hasSameDigests(other, last))
  );
}

const hasSameDigests = (one: WrongBytes, other: WrongBytes): boolean =>
  one.digests.length > 0 && one.digests.map(formatDigest).join() === other.digests.map(formatDigest).join();
