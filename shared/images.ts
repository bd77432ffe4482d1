import type { Digest, DigestAlgorithm } from './checksum.js';
import type { ErrorCode } from './errors.js';
import type { Failure } from './failures.js';

/** Formats that Slipway registers and installs. The names are CloudStack's `format` values. */
export const IMAGE_FORMATS = ['QCOW2', 'RAW', 'ISO'] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Formats that a disk can have: an ISO is not one. */
export const DISK_FORMATS = ['QCOW2', 'RAW'] as const satisfies readonly ImageFormat[];
export type DiskFormat = (typeof DISK_FORMATS)[number];
export const isDiskFormat = (format: ImageFormat): format is DiskFormat => format !== 'ISO';

/** What jobs and events call an image. */
export const imageType = (format: ImageFormat): 'Template' | 'Iso' => (isDiskFormat(format) ? 'Template' : 'Iso');

/** What happened at one source, in words for a person. `url` is without user info and query. */
export interface MirrorReport {
  url: string;
  outcome: 'used' | 'failed' | 'not tried';
  /** Bytes that came from this source. */
  bytes: number;
  code?: ErrorCode;
  reason?: string;
}

/** What an image may be packed in: told by content, unpacked while it is downloaded. */
export const COMPRESSIONS = ['gzip', 'bzip2', 'xz', 'zstd', 'zip'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** Hashes of consecutive pieces of a file, all of one length except perhaps the last (RFC 5854, 4.2.10). */
export interface PieceHashes {
  algorithm: DigestAlgorithm;
  lengthBytes: number;
  /** Lower-case hex, in file order. */
  values: string[];
}

/** One source at work. `url` is without user info and query. */
export interface MirrorProgress {
  url: string;
  bytes: number;
  bytesPerSecond: number;
}

export interface DownloadProgress {
  /** Bytes of the file that are on this host, from an earlier try or now. */
  bytes: number;
  totalBytes?: number;
  bytesPerSecond: number;
  remainingMs?: number;
  /** Sources at work, the one that brought most first. */
  mirrors: MirrorProgress[];
  /** How far each stage behind the network is, in bytes of the file; `unpackedBytes` of what comes out. */
  hashedBytes: number;
  writtenBytes: number;
  unpackedBytes?: number;
}

export interface Unpacked {
  compression: Compression;
  /** Length of what came out. */
  sizeBytes: number;
}

export interface DownloadResult {
  sizeBytes: number;
  /** Bytes that were on disk already, from an interrupted try. */
  resumedFromBytes: number;
  digests: Digest[];
  /** One per source, in order. */
  mirrors: MirrorReport[];
  /** Of a packed file: what it was unpacked to. */
  unpacked?: Unpacked;
  /** Why a packed file could not be unpacked. Whether its bytes are the right ones is for their hash to say. */
  unpackFailure?: Failure;
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
