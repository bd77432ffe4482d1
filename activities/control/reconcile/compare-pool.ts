import { isInstalledTemplate, parseTemplateFileName, parseVolumeFileName } from '../../../kvm/storage/file-names.js';
import { isInRange, type Missing, type Orphan, type PoolInventory } from '../../../shared/reconciliation.js';

/** What the database knows of the files of a pool, read after the files were listed. */
export interface KnownPool {
  /** Copies of templates on it, in whatever state. */
  copies: readonly { fileName: string; isInstalled: boolean }[];
  /** Of the templates that files are named after: those that there are, deleted ones included. */
  templateIds: ReadonlySet<string>;
  /** Of the volumes that files are named after, and all that should be there. */
  volumes: readonly KnownVolume[];
}

export interface KnownVolume {
  volumeId: string;
  /** The file that counts: the disk of a VM, or one that somebody else sees to the removal of. */
  fileName: string | null;
  /** The file must be there, on this pool. */
  isExpected: boolean;
  /** Highest token that an operation of its VM has had. */
  fenceToken: number;
  /** Tokens of tries that hold something on a host, or that a host still has to undo. */
  claimedTokens: readonly number[];
  /** Something works on its VM: nothing is known of its files. */
  isBusy: boolean;
}

export interface PoolDifferences {
  orphans: Orphan[];
  unknownFiles: string[];
  missing: Missing[];
}

/**
 * Compares a pool with the database. A file is an orphan when its epoch or token has passed: neither is ever used again,
 * so that what is one now stays one. A file of a template or volume that the database does not know is none: the
 * database may have been restored from a backup, and the file be all that is left of somebody's disk.
 */
export function comparePool(
  { poolId, files, recentFiles, ...range }: PoolInventory,
  known: KnownPool,
): PoolDifferences {
  const recent = new Set(recentFiles);
  const copies = new Set(known.copies.map(({ fileName }) => fileName));
  const volumes = new Map(known.volumes.map((volume) => [volume.volumeId, volume]));
  const differences: PoolDifferences = { orphans: [], unknownFiles: [], missing: [] };
  for (const fileName of files) {
    if (recent.has(fileName)) continue;
    const kind = isInstalledTemplate(fileName)
      ? judgeTemplate(fileName, copies, known.templateIds)
      : judgeVolume(fileName, volumes);
    if (kind === 'orphan') differences.orphans.push({ poolId, fileName });
    if (kind === 'unknown') differences.unknownFiles.push(fileName);
  }
  const present = new Set(files);
  const isLookedFor = (fileName: string): boolean => isInRange(range, fileName) && !present.has(fileName);
  for (const { fileName, isInstalled } of known.copies) {
    if (isInstalled && isLookedFor(fileName)) differences.missing.push({ poolId, fileName, kind: 'lostTemplate' });
  }
  for (const { fileName, isExpected, isBusy } of known.volumes) {
    if (fileName === null || !isExpected || isBusy || !isLookedFor(fileName)) continue;
    differences.missing.push({ poolId, fileName, kind: 'lostVolume' });
  }
  return differences;
}

type Kind = 'counts' | 'orphan' | 'unknown';

function judgeTemplate(fileName: string, copies: ReadonlySet<string>, templateIds: ReadonlySet<string>): Kind {
  if (copies.has(fileName)) return 'counts';
  return templateIds.has(parseTemplateFileName(fileName)!.templateId) ? 'orphan' : 'unknown';
}

function judgeVolume(fileName: string, volumes: ReadonlyMap<string, KnownVolume>): Kind {
  const { volumeId, token } = parseVolumeFileName(fileName)!;
  const volume = volumes.get(volumeId);
  // A token that no operation has had yet: the database is older than the file.
  if (!volume || token > volume.fenceToken) return 'unknown';
  const counts = volume.isBusy || volume.fileName === fileName || volume.claimedTokens.includes(token);
  return counts ? 'counts' : 'orphan';
}
