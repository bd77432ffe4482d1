import type { IncomingHttpHeaders } from 'node:http';
import { SlipwayError } from '../../shared/errors.js';
import type { ByteRange } from './http-client.js';
import { isSameVersion, sourceIdentity, type SourceIdentity } from './source-identity.js';

/** What is on disk, and what may be done with it. */
export interface Held {
  bytes: number;
  /** Where they came from; undefined when there are none. */
  identity?: SourceIdentity | undefined;
  /** A hash of the whole file will be compared in the end, so that bytes of equal mirrors may be joined. */
  hasVouchedDigest: boolean;
  expectedSizeBytes?: number | undefined;
  maxSizeBytes: number;
}

export interface ResponsePlan {
  /** Held bytes are of another version, or cannot be continued: drop them before the body is taken. */
  isRestart: boolean;
  /** Bytes at the start of the body that are on disk already. */
  skipBytes: number;
  identity: SourceIdentity;
}

const isSameSource = (held: Held, sourceUrl: string): boolean => held.identity?.url === sourceUrl;

/** Which bytes to ask a source for. `sourceUrl` in its display form. */
export function planRequest(held: Held, sourceUrl: string): ByteRange {
  if (held.bytes === 0) return { fromByte: 0 };
  const { identity } = held;
  if (identity && isSameSource(held, sourceUrl)) {
    // A date has a resolution of a second; together with the size it is good enough to tell versions apart.
    const ifRange = identity.etag ?? (identity.totalBytes === undefined ? undefined : identity.lastModified);
    if (ifRange !== undefined) return { fromByte: held.bytes, ifRange };
  }
  return { fromByte: held.hasVouchedDigest ? held.bytes : 0 };
}

interface ContentRange {
  firstByte: number;
  totalBytes?: number;
}

/** RFC 9110, 14.4: `bytes 5-9/10`, `bytes 5-9/*`. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const match = /^bytes\s+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(value?.trim() ?? '');
  if (!match) return undefined;
  const [firstByte, lastByte, totalBytes] = match.slice(1).map(Number) as [number, number, number];
  if (lastByte < firstByte || lastByte >= totalBytes) return undefined;
  return Number.isNaN(totalBytes) ? { firstByte } : { firstByte, totalBytes };
}

function contentLength(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['content-length'];
  return value !== undefined && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}

const sizeFailure = (sourceUrl: string, why: string): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_SIZE', `${sourceUrl}: ${why}`);

const changedFailure = (sourceUrl: string): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_CHANGED', `${sourceUrl}: the file changed while it was downloaded`);

function checkTotal(held: Held, sourceUrl: string, totalBytes: number | undefined): void {
  if (totalBytes === undefined) return;
  if (held.expectedSizeBytes !== undefined && totalBytes !== held.expectedSizeBytes) {
    throw sizeFailure(
      sourceUrl,
      `the file has ${totalBytes} bytes there, and ${held.expectedSizeBytes} were announced`,
    );
  }
  if (totalBytes > held.maxSizeBytes) {
    throw new SlipwayError(
      'SLIPWAY_TEMPLATE_TOO_LARGE',
      `${sourceUrl}: the file has ${totalBytes} bytes, and at most ${held.maxSizeBytes} are allowed`,
    );
  }
}

const CODINGS = /\b(gzip|compress|deflate|br|zstd|dcb|dcz)\b/i;

/** Some servers compress whatever was asked for; the bytes would be a file's only after decoding them. */
function checkEncoding(sourceUrl: string, headers: IncomingHttpHeaders): void {
  const coding = CODINGS.exec(headers['content-encoding'] ?? '')?.[0];
  if (coding === undefined) return;
  throw sizeFailure(sourceUrl, `the server sends the file compressed (${coding}), although it was asked not to`);
}

/** For a 206: it must continue exactly what is held. */
function planPartial(held: Held, sourceUrl: string, range: ByteRange, headers: IncomingHttpHeaders): ResponsePlan {
  const contentRange = parseContentRange(headers['content-range']);
  if (!contentRange || contentRange.firstByte !== range.fromByte) {
    throw sizeFailure(sourceUrl, 'the server answered with another range than was asked for');
  }
  checkTotal(held, sourceUrl, contentRange.totalBytes);
  const identity = sourceIdentity(sourceUrl, headers, contentRange.totalBytes ?? held.identity?.totalBytes);
  // A server may send less than was asked for (RFC 9110, 14.2): a part would be taken for the whole.
  const isEndKnown = (identity.totalBytes ?? held.expectedSizeBytes) !== undefined || held.hasVouchedDigest;
  if (!isEndKnown) throw changedFailure(sourceUrl);
  if (held.identity && range.fromByte > 0) {
    if (isSameSource(held, sourceUrl)) {
      if (isSameVersion(held.identity, identity) === false) throw changedFailure(sourceUrl);
    } else {
      checkSameTotal(held, sourceUrl, identity.totalBytes);
    }
  }
  return { isRestart: false, skipBytes: 0, identity };
}

/** Mirrors of one file agree on its size, else one of them has something else: a login page, for example. */
function checkSameTotal(held: Held, sourceUrl: string, totalBytes: number | undefined): void {
  const known = held.identity?.totalBytes;
  if (known !== undefined && totalBytes !== undefined && known !== totalBytes) {
    throw sizeFailure(sourceUrl, `the file has ${totalBytes} bytes there, and ${known} at the source before`);
  }
}

/** For a 200: the whole file, whether or not the end of it was asked for. */
function planWhole(held: Held, sourceUrl: string, range: ByteRange, headers: IncomingHttpHeaders): ResponsePlan {
  const totalBytes = contentLength(headers);
  checkTotal(held, sourceUrl, totalBytes);
  const identity = sourceIdentity(sourceUrl, headers, totalBytes);
  const isRestart = { isRestart: held.bytes > 0, skipBytes: 0, identity };
  if (range.fromByte === 0 || !held.identity) return isRestart;
  const continued = { isRestart: false, skipBytes: held.bytes, identity };
  if (isSameSource(held, sourceUrl)) {
    const hasRoom = totalBytes !== undefined && totalBytes >= held.bytes;
    return (isSameVersion(held.identity, identity) ?? (held.hasVouchedDigest && hasRoom)) ? continued : isRestart;
  }
  checkSameTotal(held, sourceUrl, totalBytes);
  // Only reached with a vouched digest. A server without ranges, or a login page without a length, must not cost the
  // bytes of one that had them.
  return totalBytes === undefined || totalBytes >= held.bytes ? continued : isRestart;
}

/**
 * What to do with an answer of status 200, 206 or 416 to `planRequest`'s range.
 *
 * @throws SlipwayError SLIPWAY_SOURCE_SIZE, SLIPWAY_SOURCE_CHANGED, SLIPWAY_TEMPLATE_TOO_LARGE
 */
export function planResponse(
  held: Held,
  sourceUrl: string,
  range: ByteRange,
  statusCode: number,
  headers: IncomingHttpHeaders,
): ResponsePlan {
  checkEncoding(sourceUrl, headers);
  if (statusCode === 206) return planPartial(held, sourceUrl, range, headers);
  if (statusCode === 200) return planWhole(held, sourceUrl, range, headers);
  // 416: the source's file ends before what is held.
  if (held.identity && !isSameSource(held, sourceUrl)) {
    throw sizeFailure(sourceUrl, 'the file is shorter there than what came from the source before');
  }
  throw changedFailure(sourceUrl);
}
