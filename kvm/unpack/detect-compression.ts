import type { Compression } from '../../shared/images.js';

/** So many bytes tell every compression. */
export const MAGIC_BYTES = 6;

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];

const MAGICS: [Compression, magic: readonly number[]][] = [
  // RFC 1952, 2.3.1: deflate is the only method there is.
  ['gzip', [0x1f, 0x8b, 8]],
  ['xz', [0xfd, ...ascii('7zXZ'), 0]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  // A member; an archive without one; a part of a split one. The last two are told apart to be refused by name.
  ['zip', [...ascii('PK'), 3, 4]],
  ['zip', [...ascii('PK'), 5, 6]],
  ['zip', [...ascii('PK'), 7, 8]],
];

/** @returns what a file is packed in that begins with `head`; undefined for one that is not packed */
export function detectCompression(head: Uint8Array): Compression | undefined {
  const found = MAGICS.find(([, magic]) => magic.every((byte, index) => head[index] === byte));
  if (found) return found[0];
  if (isBzip2(head)) return 'bzip2';
  return isSkippableFrame(head) ? 'zstd' : undefined;
}

/** "BZh" and the size of its blocks. */
function isBzip2(head: Uint8Array): boolean {
  const [b, z, h, level = 0] = head;
  return b === 0x42 && z === 0x5a && h === 0x68 && level >= 0x31 && level <= 0x39;
}

/** RFC 8878, 3.1.2: what pzstd puts before its frames. */
function isSkippableFrame(head: Uint8Array): boolean {
  const [first = 0, ...rest] = head;
  return first >= 0x50 && first <= 0x5f && rest[0] === 0x2a && rest[1] === 0x4d && rest[2] === 0x18;
}
