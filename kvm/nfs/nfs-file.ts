import { displayUrl } from '../../shared/display-url.js';
import { SlipwayError } from '../../shared/errors.js';
import type { ByteRange } from '../download/source-client.js';

/** What a server says of a file: decimal numbers, since some have 64 bits. */
export interface NfsStat {
  id: string;
  mode: string;
  size: string;
  mtime: string;
  mtimeNs: string;
  ctime: string;
  ctimeNs: string;
}

export interface NfsFile {
  sizeBytes: number;
  etag: string;
  lastModified: string | undefined;
}

const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
/** What reading one of them would do is for nobody to find out. */
const TYPES: Readonly<Record<number, string>> = {
  0o040000: 'a directory',
  0o010000: 'a FIFO',
  0o020000: 'a device',
  0o060000: 'a device',
  0o120000: 'a symbolic link',
  0o140000: 'a socket',
};

/** @throws SlipwayError SLIPWAY_SOURCE_NFS when it is no regular file */
export function nfsFile(url: URL, stat: NfsStat): NfsFile {
  const type = Number(stat.mode) & TYPE_MASK;
  if (type !== REGULAR) {
    throw new SlipwayError('SLIPWAY_SOURCE_NFS', `${displayUrl(url)}: it is ${TYPES[type] ?? 'not a regular file'}`);
  }
  const sizeBytes = Number(stat.size);
  if (!Number.isSafeInteger(sizeBytes)) {
    throw new SlipwayError('SLIPWAY_SOURCE_SIZE', `${displayUrl(url)}: the server tells an impossible size`);
  }
  const modified = new Date(Number(stat.mtime) * 1000);
  return {
    sizeBytes,
    // The time of the last change of anything about the file: it cannot be set back, as that of its content can.
    etag: `"nfs-${stat.id}-${stat.size}-${stat.ctime}.${stat.ctimeNs}"`,
    lastModified: Number.isNaN(modified.getTime()) ? undefined : modified.toUTCString(),
  };
}

/**
 * The bytes to send, as an HTTP server heeds `Range` and `If-Range`: of another version than the one asked for the
 * whole file.
 *
 * @throws SlipwayError SLIPWAY_SOURCE_SIZE when the range begins behind the end of the file
 */
export function nfsRange(url: URL, file: NfsFile, range: ByteRange): { fromByte: number; endByte: number } {
  const { fromByte, endByte = file.sizeBytes, ifRange } = range;
  if (ifRange !== undefined && ifRange !== file.etag && ifRange !== file.lastModified) {
    return { fromByte: 0, endByte: file.sizeBytes };
  }
  // An empty file has no first byte, and is a file all the same.
  if (fromByte > 0 && fromByte >= file.sizeBytes) {
    throw new SlipwayError(
      'SLIPWAY_SOURCE_SIZE',
      `${displayUrl(url)}: the file has ${file.sizeBytes} bytes, none at ${fromByte}`,
    );
  }
  return { fromByte, endByte: Math.min(endByte, file.sizeBytes) };
}
