import type { Digest } from './checksum.js';
import type { ImageFormat } from './images.js';
import type { DownloadSettings } from './settings.js';

/** A URL on its way to a host: readable for people without its secrets, and whole for the host alone. */
export interface SealedUrl {
  display: string;
  /** JSON of a `RegisteredSource`, so with the template's HTTP headers, encrypted to the host's public key. */
  sealed: string;
}

/** One try to bring a template to a pool. Tries never share a file name. */
export interface TemplateCopyRef {
  templateId: string;
  generation: number;
  epoch: number;
}

/** Mirrors of equal priority. */
export interface SealedTier {
  priority: number;
  location?: string;
  /** Without user info and query, in the order of the sealed list. */
  mirrors: string[];
  /** JSON of a `TierSecrets`, sealed by the host to itself. */
  sealed: string;
}

export interface SealedSourcePlan {
  isMetalink: boolean;
  sizeBytes?: number;
  /** Whole-file hashes of the metalink document. */
  digests: Digest[];
  tiers: SealedTier[];
  dropped: string[];
}

export interface StageTemplateInput {
  spoolRefId: string;
  poolId: string;
  templateId: string;
  generation: number;
  /** The host whose deployment asked first; other hosts of the pool are tried when it fails. */
  preferredHostId: string;
}

/** What a host needs to stage a template. */
export interface StagePlan {
  hostId: string;
  hostName: string;
  /** Start of the host worker as known when the plan was made. */
  bootId: string | null;
  zoneId: string;
  poolId: string;
  poolName: string;
  templateName: string;
  copy: TemplateCopyRef;
  format: ImageFormat;
  url: SealedUrl;
  checksum: Digest | null;
  settings: DownloadSettings;
  reconnectGraceMs: number;
}

export interface InstalledTemplate {
  /** File name below the pool. */
  installPath: string;
  virtualSizeBytes: number;
  physicalSizeBytes: number;
}

export interface RegisterTemplateInput {
  templateId: string;
  zoneIds: string[];
  format: ImageFormat;
}
