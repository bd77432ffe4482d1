import type { Digest } from '../../shared/checksum.js';
import type { ByteSink } from './byte-sink.js';

export interface ByteRange {
  fromByte: number;
  /** Offset behind the last byte wanted; the end of the file by default. */
  endByte?: number | undefined;
  /** ETag or date of the version wanted: of another one the whole file comes (RFC 9110, 13.1.5). */
  ifRange?: string | undefined;
}

/** A file at a source, opened for reading once, from some byte on. */
export interface SourceBody {
  /** Where the bytes really come from, after redirects. */
  url: URL;
  /** Offset in the file of the first byte of the body: 0 when the source did not heed the range asked for. */
  fromByte: number;
  /** Bytes of the body, if the source tells. */
  bodyBytes?: number | undefined;
  /** Of the whole file, if the source tells. */
  totalBytes?: number | undefined;
  /** Strong ones only: a weak ETag allows other bytes (RFC 9110, 8.8.1). */
  etag?: string | undefined;
  lastModified?: string | undefined;
  /** Whether any range of the file may be asked for. */
  hasRanges: boolean;
  mediaType?: string | undefined;
  /** What the answer says about mirrors and hashes of the file (RFC 6249). */
  hints: SourceHints;
  /**
   * Moves the body into `sink`. Resolves at its end, as the source tells it: it may be shorter than announced.
   *
   * @throws SlipwayError of a broken transfer; what the sink threw; AbortError
   */
  pump(sink: ByteSink): Promise<void>;
  /** Gives up the body. */
  discard(): void;
}

export interface SourceHints {
  /** Raw values of `Link` headers. */
  links: string[];
  /** Hashes of the whole file, from `Digest` (RFC 3230) and `Repr-Digest` (RFC 9530). */
  digests: Digest[];
}

/** Reads files of one family of URL schemes. */
export interface SourceClient {
  /**
   * @throws SlipwayError SLIPWAY_URL_*, SLIPWAY_SOURCE_*; SLIPWAY_SOURCE_SIZE also when `fromByte` is not in the file;
   *   AbortError
   */
  open(url: string, signal: AbortSignal, range?: ByteRange): Promise<SourceBody>;
  /** Ends all connections, also those still being made. */
  close(): void;
}

/** A template's URL as it was registered, with what is sent to its origin and to no other. */
export interface RegisteredSource {
  url: string;
  /** Name and value. The values are secrets. */
  headers: [name: string, value: string][];
}
