/** What is compared: what a host finds on its pools and in libvirt, and what the database says. Plain JSON, no secrets. */

/**
 * - `unknownFile`: named as Slipway names files, of a template or volume that the database does not know
 * - `orphanInUse`: counts for nothing, and a file stands on it that the database does not know
 * - `lostTemplate`, `lostVolume`: the database says that it is there, and it is not
 * - `unknownVm`: runs with this installation's mark, and the database does not know it
 */
export const FINDING_KINDS = ['unknownFile', 'orphanInUse', 'lostTemplate', 'lostVolume', 'unknownVm'] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  kind: FindingKind;
  /** The pool, or the host. */
  placeId: string;
  /** A file name, or the id of a VM. */
  name: string;
}

/** A part of a pool, by the names of its files in the order of their UTF-16 units; all of it without bounds. */
export interface PoolRange {
  poolId: string;
  /** Names up to this one were looked at before. */
  after?: string | undefined;
  /** Names behind this one are still to be looked at. */
  upTo?: string | undefined;
}

export const isInRange = ({ after, upTo }: Omit<PoolRange, 'poolId'>, name: string): boolean =>
  (after === undefined || name > after) && (upTo === undefined || name <= upTo);

/** Where the next part begins. */
export type InventoryCursor = Required<Pick<PoolRange, 'poolId' | 'after'>>;

/**
 * Files of a pool whose names Slipway gives: installed templates and volumes. Names alone, and of a few thousand files at
 * a time: Temporal takes no message above 2 MiB.
 */
export interface PoolInventory extends PoolRange {
  files: string[];
  /** Those of them that were changed so lately that something may still be going on with them. */
  recentFiles: string[];
}

export interface HostInventory {
  /** Of the host worker that looked. */
  bootId: string;
  /** Without pools that could not be read: of those nothing is known. */
  pools: PoolInventory[];
  /** VMs that run with the mark of this installation and host. */
  vmIds: string[];
  /** VMs of which the host keeps files of its own, as what their consoles said. */
  keptVmIds: string[];
  /** There is more. Domains and consoles are in the first part only. */
  next?: InventoryCursor | undefined;
}

export interface ReconcileHostInput {
  hostId: string;
  /** What a run before has left to do. */
  rest?: ReconciliationRest | undefined;
}

export interface ReconciliationRest {
  plan: ReconciliationPlan;
  from: InventoryCursor;
  /** Pools that are looked at to their end. */
  readIds: string[];
  tally: ReconciliationTally;
}

/** Of files and VMs. */
export interface ReconciliationTally {
  removed: number;
  leftAlone: number;
  missing: number;
}

/** What a host is asked to look at. */
export interface ReconciliationPlan {
  hostName: string;
  poolIds: string[];
}

/** A file that counts for nothing, and never will again: its epoch or token has passed. */
export interface Orphan {
  poolId: string;
  fileName: string;
}

/** A file that the database says is there, and that was not in the inventory. */
export interface Missing extends Orphan {
  kind: 'lostTemplate' | 'lostVolume';
}

/** What a host has to do, or to look at again, before anything is recorded. */
export interface Settlement {
  orphans: Orphan[];
  missing: Missing[];
  /** VMs that are gone for good: what the host keeps of them goes too. */
  goneVmIds: string[];
}

export interface SettledInventory {
  removed: Orphan[];
  /** Something stands on them. */
  inUse: Orphan[];
  /** Looked for once more after the database was asked: a file is there before its row says so. */
  missing: Missing[];
}
