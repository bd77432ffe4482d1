import type { Digest } from './checksum.js';
import type { ErrorCode } from './errors.js';

/** Formats that Slipway registers and installs. The names are CloudStack's `format` values. */
export const IMAGE_FORMATS = ['QCOW2', 'RAW'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** What happened at one source, in words for a person. `url` is without user info and query. */
export interface MirrorReport {
  url: string;
  outcome: 'used' | 'failed' | 'not tried';
  /** Bytes that came from this source. */
  bytes: number;
  code?: ErrorCode;
  reason?: string;
}

export interface DownloadProgress {
  bytes: number;
  totalBytes?: number;
  bytesPerSecond: number;
  /** Without user info and query. */
  source: string;
}

export interface DownloadResult {
  sizeBytes: number;
  /** Bytes that were on disk already, from an interrupted try. */
  resumedFromBytes: number;
  digests: Digest[];
  /** One per source tried, in order. */
  mirrors: MirrorReport[];
}

/** What a probe of a registered URL found out. */
export interface ProbeResult {
  /** Size of the file that would be downloaded, if a source tells it. */
  sizeBytes?: number;
  /** For qcow2: the disk's size as a guest sees it. */
  virtualSizeBytes?: number;
  isMetalink: boolean;
  mirrors: MirrorReport[];
}
