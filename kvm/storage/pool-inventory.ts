import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../write-file-durably.js';
import { isInstalledTemplate, parseVolumeFileName } from './file-names.js';
import { listOverlays, mayStandOn } from './find-overlays.js';
import { unlessMissing } from './pool-error.js';

export interface FoundFiles {
  files: string[];
  /** Those of them that were changed after a time. */
  recentFiles: string[];
  /** There are more, behind this name. */
  upTo?: string;
}

export interface InventoryOptions {
  recentSinceMs: number;
  /** Names up to this one are not of interest. */
  after?: string | undefined;
  /** So many at most; all without it. */
  most?: number;
}

const isNamedByUs = (name: string): boolean => isInstalledTemplate(name) || parseVolumeFileName(name) !== undefined;

/**
 * Lists the files of a directory that have the names of installed templates and of volumes. Whatever else is there, a
 * link or a directory of such a name too, is a stranger's. They are in the order of their names.
 */
export async function listInventory(
  directory: string,
  { recentSinceMs, after = '', most = Infinity }: InventoryOptions,
): Promise<FoundFiles> {
  const found: FoundFiles = { files: [], recentFiles: [] };
  // By UTF-16 units, as `isInRange` compares, and not as people sort: it is compared on another machine.
  const names = (await readdir(directory)).filter((name) => name > after && isNamedByUs(name)).toSorted();
  for (const [index, name] of names.entries()) {
    if (index === most) return { ...found, upTo: names[index - 1] ?? after };
    const file = await unlessMissing(lstat(join(directory, name)));
    if (!file?.isFile()) continue;
    found.files.push(name);
    if (file.mtimeMs > recentSinceMs) found.recentFiles.push(name);
  }
  return found;
}

/**
 * Removes files that count for nothing, unless another file of the directory stands on them: a snapshot that somebody
 * took by hand.
 *
 * @returns those that are gone
 */
export async function removeOrphans(directory: string, fileNames: readonly string[]): Promise<string[]> {
  const removed = new Set<string>();
  const overlays = await listOverlays(directory);
  // Disks before templates: one orphan may stand on another.
  for (const fileName of fileNames.toSorted(
    (a, b) => Number(isInstalledTemplate(a)) - Number(isInstalledTemplate(b)),
  )) {
    // A name that comes from elsewhere must not lead out of the directory, nor to a stranger's file.
    if (!isNamedByUs(fileName)) continue;
    if (overlays.some((overlay) => !removed.has(overlay.name) && mayStandOn(overlay, fileName))) continue;
    await rm(join(directory, fileName), { force: true });
    removed.add(fileName);
  }
  await syncDirectory(directory);
  return [...removed];
}

export const hasFile = async (directory: string, fileName: string): Promise<boolean> =>
  (await unlessMissing(lstat(join(directory, fileName)))) !== undefined;
