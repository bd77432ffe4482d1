import { problem, type ImageProblem } from './image-problem.js';

const END = 0;
const BACKING_FORMAT = 0xe2792aca;
const DATA_FILE = 0x44415441;
const CRYPTO = 0x0537be77;
const BITMAPS = 0x23852875;
const FEATURE_NAMES = 0x6803f857;

/** What the header extensions of a qcow2 file name. */
export interface Qcow2Extensions {
  backingFormat: string | undefined;
  hasDataFileName: boolean;
  hasCryptoHeader: boolean;
  hasBitmaps: boolean;
}

const KNOWN = new Set([BACKING_FORMAT, DATA_FILE, CRYPTO, BITMAPS, FEATURE_NAMES]);

/**
 * @param bytes the file from its start
 * @param start where the extensions begin
 * @param clusterBytes where they have to have ended
 */
export function parseQcow2Extensions(
  bytes: Buffer,
  start: number,
  clusterBytes: number,
): Qcow2Extensions | ImageProblem {
  const found: Qcow2Extensions = {
    backingFormat: undefined,
    hasDataFileName: false,
    hasCryptoHeader: false,
    hasBitmaps: false,
  };
  const seen = new Set<number>();
  const end = Math.min(clusterBytes, bytes.length);
  let offset = start;
  while (offset + 8 <= end) {
    const type = bytes.readUInt32BE(offset);
    const length = bytes.readUInt32BE(offset + 4);
    if (type === END) return found;
    const dataStart = offset + 8;
    if (dataStart + length > end) return damaged('a header extension reaches beyond the first cluster');
    // Of two, one reader takes the first and another the last.
    if (KNOWN.has(type) && seen.has(type)) return damaged('a header extension is there twice');
    seen.add(type);
    if (type === BACKING_FORMAT) found.backingFormat = bytes.toString('utf8', dataStart, dataStart + length);
    if (type === DATA_FILE) found.hasDataFileName = true;
    if (type === CRYPTO) found.hasCryptoHeader = true;
    if (type === BITMAPS) found.hasBitmaps = true;
    offset = dataStart + Math.ceil(length / 8) * 8;
  }
  // An old version 2 image may have no room for, and so no, end marker; what was not looked at is another matter.
  if (end < clusterBytes) return damaged('its header extensions have no end');
  return found;
}

const damaged = (reason: string): ImageProblem => problem('HEADER', reason);
