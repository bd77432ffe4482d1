/** Before the checksum of a stream. */
const END_MAGIC = 0x177245385090n;

/** Magic, checksum, and up to 7 bits of padding. */
export const BZIP2_ENDING_BYTES = 11;

/**
 * Whether a bzip2 file with this `tail` ends where a stream ends. Its programs take a truncated one, or anything that
 * follows, for garbage, and say nothing of it.
 */
export function endsAsBzip2(tail: Buffer): boolean {
  const bits = BigInt(`0x${tail.subarray(-BZIP2_ENDING_BYTES).toString('hex') || '0'}`);
  // The end of a stream is at any bit of its last byte.
  for (let padding = 0n; padding < 8n; padding++) {
    if (((bits >> (padding + 32n)) & 0xffffffffffffn) === END_MAGIC) return true;
  }
  return false;
}
