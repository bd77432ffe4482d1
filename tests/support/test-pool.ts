import { randomUUID } from 'node:crypto';
import { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import { claimPoolDirectory } from '../../kvm/storage/pool-marker.js';

/** Makes a directory a pool, as joining a host does. */
export async function makePool(path: string, poolId = randomUUID() as string): Promise<FilesystemPool> {
  await claimPoolDirectory(path, { installationId: 'test', poolId });
  return new FilesystemPool({ poolId, type: 'Filesystem', path });
}
