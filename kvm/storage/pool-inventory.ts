import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../write-file-durably.js';
import { isInstalledTemplate, parseVolumeFileName } from './file-names.js';
import { findOverlays } from './find-overlays.js';
import { unlessMissing } from './pool-error.js';

export interface FoundFiles {
  files: string[];
  /** Those of them that were changed after a time. */
  recentFiles: string[];
}

const isNamedByUs = (name: string): boolean => isInstalledTemplate(name) || parseVolumeFileName(name) !== undefined;

/**
 * Lists the files of a directory that have the names of installed templates and of volumes. Whatever else is there, a
 * link or a directory of such a name too, is a stranger's.
 */
export async function listInventory(directory: string, recentSinceMs: number): Promise<FoundFiles> {
  const found: FoundFiles = { files: [], recentFiles: [] };
  for (const name of await readdir(directory)) {
    if (!isNamedByUs(name)) continue;
    const file = await unlessMissing(lstat(join(directory, name)));
    if (!file?.isFile()) continue;
    found.files.push(name);
    if (file.mtimeMs > recentSinceMs) found.recentFiles.push(name);
  }
  return found;
}

/**
 * Removes a file that counts for nothing, unless another file of the directory stands on it: a snapshot that somebody
 * took by hand.
 *
 * @returns whether it is gone
 */
export async function removeOrphan(directory: string, fileName: string): Promise<boolean> {
  // A name that comes from elsewhere must not lead out of the directory, nor to a stranger's file.
  if (!isNamedByUs(fileName)) return false;
  if ((await findOverlays(directory, fileName)).length > 0) return false;
  await rm(join(directory, fileName), { force: true });
  await syncDirectory(directory);
  return true;
}

export const hasFile = async (directory: string, fileName: string): Promise<boolean> =>
  (await unlessMissing(lstat(join(directory, fileName)))) !== undefined;
