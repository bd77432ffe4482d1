import type { KeystorePlan } from '../../shared/certificates.js';

/** What a workflow says to Temporal at once is one message, of 4 MB at most; each child is given the certificates. */
const BYTES_OF_CHILDREN = 2 * 1024 * 1024;
const MOST_CHILDREN = 20;

/**
 * How many parts of a plan can be told by children at once.
 *
 * @param part the largest
 */
export function childrenAtOnce(
  part: Pick<KeystorePlan, 'certificates' | 'hosts'>,
  packed: Pick<Uint8Array, 'byteLength'>,
): number {
  const bytes = packed.byteLength + JSON.stringify(part).length;
  return Math.max(1, Math.min(MOST_CHILDREN, Math.floor(BYTES_OF_CHILDREN / bytes)));
}
