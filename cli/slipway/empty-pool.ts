import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { parsePartialFileName, parseVolumeFileName } from '../../kvm/storage/file-names.js';
import { listInventory, removeOrphans } from '../../kvm/storage/pool-inventory.js';
import { misplacement, POOL_MARKER } from '../../kvm/storage/pool-marker.js';
import type { PoolPlace } from '../../shared/hosts.js';

/**
 * Makes a host's own pool a directory like any other again: its templates go, and nothing that is not Slipway's.
 *
 * @returns false when it is left as it is: it is shared, not there, or has a disk of a virtual machine
 */
export async function emptyPool({ poolId, type, path: directory }: PoolPlace): Promise<boolean> {
  if (type !== 'Filesystem') return false;
  const isElsewhere = await misplacement(directory, poolId).catch(() => 'it cannot be read');
  if (isElsewhere !== undefined) return false;
  const { files } = await listInventory(directory, { recentSinceMs: Infinity });
  if (files.some((name) => parseVolumeFileName(name) !== undefined)) return false;
  const removed = await removeOrphans(directory, files);
  // Somebody's own file stands on one of the others.
  if (removed.length < files.length) return false;
  const partials = (await readdir(directory)).filter((name) => parsePartialFileName(name) !== undefined);
  for (const name of partials) await rm(path.join(directory, name), { force: true });
  await rm(path.join(directory, POOL_MARKER));
  return true;
}
