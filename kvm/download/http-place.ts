import type { IncomingHttpHeaders } from 'node:http';
import { SlipwayError } from '../../shared/errors.js';
import type { ByteRange } from './source-client.js';

/** Which bytes of the file an answer carries. */
export interface Place {
  fromByte: number;
  bodyBytes?: number | undefined;
  totalBytes?: number | undefined;
}

interface ContentRange {
  firstByte: number;
  lastByte: number;
  totalBytes?: number;
}

/** RFC 9110, 14.4: `bytes 5-9/10`, `bytes 5-9/*`. */
export function parseContentRange(value: string | undefined): ContentRange | undefined {
  const match = /^bytes\s+(\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i.exec(value?.trim() ?? '');
  if (!match) return undefined;
  const [firstByte, lastByte, totalBytes] = match.slice(1).map(Number) as [number, number, number];
  if (lastByte < firstByte || lastByte >= totalBytes) return undefined;
  return Number.isNaN(totalBytes) ? { firstByte, lastByte } : { firstByte, lastByte, totalBytes };
}

function contentLength(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['content-length'];
  return value !== undefined && /^\d{1,16}$/.test(value) ? Number(value) : undefined;
}

const failure = (shownUrl: string, why: string): SlipwayError =>
  new SlipwayError('SLIPWAY_SOURCE_SIZE', `${shownUrl}: ${why}`);

const CODINGS = /\b(gzip|compress|deflate|br|zstd|dcb|dcz)\b/i;

/**
 * The place of a 200's or 206's body in the file.
 *
 * @throws SlipwayError SLIPWAY_SOURCE_SIZE for a range that was not asked for, and for an encoded body: some servers
 *   compress whatever was asked for, and the bytes would be the file's only after decoding them
 */
export function readPlace(shownUrl: string, statusCode: number, headers: IncomingHttpHeaders, range: ByteRange): Place {
  const coding = CODINGS.exec(headers['content-encoding'] ?? '')?.[0];
  if (coding !== undefined) {
    throw failure(shownUrl, `the server sends the file compressed (${coding}), although it was asked not to`);
  }
  if (statusCode === 200) {
    const totalBytes = contentLength(headers);
    return { fromByte: 0, bodyBytes: totalBytes, totalBytes };
  }
  const contentRange = parseContentRange(headers['content-range']);
  const isAsked =
    contentRange?.firstByte === range.fromByte && contentRange.lastByte < (range.endByte ?? Number.POSITIVE_INFINITY);
  if (!contentRange || !isAsked) throw failure(shownUrl, 'the server answered with another range than was asked for');
  const { firstByte, lastByte, totalBytes } = contentRange;
  return { fromByte: firstByte, bodyBytes: lastByte - firstByte + 1, totalBytes };
}
