import type { Mark } from './content-marks.js';

const HEADER_BYTES = 512;
const CHECKSUM = { start: 148, end: 156 };
const SPACE = 0x20;

/**
 * Recognises a tar archive by the checksum of its first header, since old ones, and those of XenServer, have no
 * signature. OVA and XVA are told by their first member.
 */
export function tarMark(head: Buffer): Mark | undefined {
  if (head.length < HEADER_BYTES) return undefined;
  const header = head.subarray(0, HEADER_BYTES);
  if (header[0] === 0 || !hasRightChecksum(header)) return undefined;
  const name = header.toString('latin1', 0, 100).split('\0')[0] ?? '';
  if (name.endsWith('.ovf')) return { name: 'an OVA archive' };
  return { name: /(^|\/)ova\.xml$/.test(name) ? 'an XVA archive' : 'a tar archive' };
}

function hasRightChecksum(header: Buffer): boolean {
  const text = header.toString('latin1', CHECKSUM.start, CHECKSUM.end);
  const written = /^ *([0-7]+)[ \0]*$/.exec(text)?.[1];
  if (written === undefined) return false;
  let sum = (CHECKSUM.end - CHECKSUM.start) * SPACE;
  header.forEach((byte, index) => {
    if (index < CHECKSUM.start || index >= CHECKSUM.end) sum += byte;
  });
  return sum === Number.parseInt(written, 8);
}
