import type { Digest } from '../../shared/checksum.js';
import type { ErrorCode } from '../../shared/errors.js';
import type { Compression, ImageFormat, MirrorReport } from '../../shared/images.js';

/** What commands print with `--json`: docs/slipway-image.md describes it, and later versions only add to it. */
export interface FetchResult {
  command: 'fetch';
  isOk: true;
  /** Where the image is. */
  path: string;
  format: ImageFormat;
  /** Of the disk as a guest sees it. */
  virtualSizeBytes: number;
  /** Of the image's file. */
  sizeBytes: number;
  /** What was downloaded: the image itself, or what it was packed in. */
  download: {
    sizeBytes: number;
    /** Left by an earlier run. */
    resumedFromBytes: number;
    compression: Compression | null;
    digests: Digest[];
    /** Whether a hash was there to be compared: given, or in the metalink. */
    isVerified: boolean;
    attempts: number;
    elapsedMs: number;
    mirrors: MirrorReport[];
  };
}

export interface InspectResult {
  command: 'inspect';
  isOk: true;
  path: string;
  format: ImageFormat;
  virtualSizeBytes: number;
  sizeBytes: number;
}

export interface ProbeCommandResult {
  command: 'probe';
  isOk: true;
  isMetalink: boolean;
  /** Of the file that would be downloaded; null when no source tells. */
  sizeBytes: number | null;
  /** Of an unpacked qcow2 image; null for others. */
  virtualSizeBytes: number | null;
  mirrors: MirrorReport[];
}

export interface MetalinkResult {
  command: 'metalink';
  isOk: true;
  /** False when a server named mirrors of its own in its answer (RFC 6249). */
  isMetalink: boolean;
  sizeBytes: number | null;
  digests: Digest[];
  pieces: { algorithm: string; lengthBytes: number; count: number } | null;
  /** Best first. URLs are without user info and query. */
  tiers: { priority: number; location: string | null; urls: string[] }[];
  dropped: { what: string; why: string }[];
}

export type CommandResult = FetchResult | InspectResult | ProbeCommandResult | MetalinkResult;

export interface FailureResult {
  isOk: false;
  exitCode: number;
  code: ErrorCode;
  message: string;
  remedies: string[];
  /** When sources failed. */
  mirrors: MirrorReport[];
}
