import type { Digest } from './checksum.js';
import type { Failure } from './failures.js';
import type { ImageFormat } from './images.js';
import type { DownloadSettings } from './download-settings.js';

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

/** Template copies on one pool. */
export interface PoolCopies {
  poolId: string;
  copies: TemplateCopyRef[];
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
  /** Its piece hashes are too many for a history: they are kept on the pool, beside the file they are for. */
  hasPieces: boolean;
  tiers: SealedTier[];
  dropped: string[];
}

/** Why a template is wanted on a pool: what refers to the copy once it is there. */
export type StageUse =
  | { type: 'rootDisk'; volumeId: string; token: number }
  /** In the CD-ROM drive of a VM. */
  | { type: 'iso'; vmId: string }
  /** Nothing yet: it is brought there ahead of time. */
  | { type: 'prestage' };

/** Asks for the one download of a template to a pool. */
export interface StageRequest {
  /** Who waits, and is told by the signal `stageEnded`. */
  workflowId: string;
  /** The account that it is done for: accounts share the slots of a host fairly. */
  accountId: string;
  hostId: string;
  hostName: string;
  poolId: string;
  templateId: string;
  templateName: string;
  generation: number;
  use: StageUse;
  /** It looks again, and most likely finds the copy. */
  hasWaited?: boolean;
}

export interface StageTemplateInput {
  spoolRefId: string;
  poolId: string;
  templateId: string;
  generation: number;
  /** The host whose deployment asked first; other hosts of the pool are tried when it fails. */
  preferredHostId: string;
  /** Of whoever asked first. */
  accountId: string;
  /** Nobody waits for it yet: work that somebody waits for goes first. */
  isPrestaged: boolean;
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
  /** Several hosts reach the pool: whoever waits for the template need not be on this one. */
  isShared: boolean;
  templateName: string;
  copy: TemplateCopyRef;
  /** The try before this one, on this host or another of the pool: what it had downloaded need not be fetched again. */
  resumeFrom: TemplateCopyRef | null;
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
  /** Length of the file. */
  physicalSizeBytes: number;
  /** What the file takes of the pool's space: less than its length when it has holes. */
  allocatedBytes: number;
}

export interface RegisterTemplateInput {
  templateId: string;
  zoneIds: string[];
  format: ImageFormat;
}

export interface DeleteTemplateInput {
  templateId: string;
  jobId: string;
  /** Every zone when absent. */
  zoneId?: string;
  /** Also while virtual machines use it; they go on. */
  isForced: boolean;
}

export interface RefreshTemplateInput {
  templateId: string;
  jobId: string;
  /** `{ALGORITHM}hash` of the new file, null for none; the registered one stays when absent. */
  checksum?: string | null;
}

export interface PrestageTemplateInput {
  templateId: string;
  jobId: string;
  zoneId: string;
  /** Every pool of the zone when absent. */
  poolId?: string;
  /** What came of the pools before, which an earlier run of the workflow has asked. */
  soFar?: PrestageProgress;
}

export interface PrestageProgress {
  /** Pools are asked in the order of their ids; null before the first. */
  lastPoolId: string | null;
  readyCount: number;
  failedCount: number;
  /** Of the pools that failed first. */
  failures: (Failure & { poolName: string })[];
}

/** What brings a template to one pool ahead of time: who waits is known when its workflow runs. */
export type PrestageRequest = Omit<StageRequest, 'workflowId'> & { poolName: string };

export interface EvictTemplateCopyInput {
  spoolRefId: string;
}

/** Where a copy that is being evicted is removed. */
export interface EvictionPlan {
  hostId: string;
  hostName: string;
  poolId: string;
  poolName: string;
  templateName: string;
  copy: TemplateCopyRef;
}
