import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { lookAtPool } from '../../kvm/storage/pool-report.js';
import type { PoolType } from '../../shared/hosts.js';
import type { Check } from './machine-checks.js';

const GIB = 1024 ** 3;
/** x for others: QEMU runs as a user of its own, and passes through. */
const OTHERS_PASS = 0o001;

/** @param poolId of a pool that the directory is already */
export async function checkPool({
  path,
  type,
  poolId,
}: {
  path: string;
  type: PoolType;
  poolId?: string | undefined;
}): Promise<Check> {
  const name = `pool ${path}`;
  const failed = (text: string, remedy: string): Check => ({ name, status: 'failed', text, remedy });
  try {
    const found = await stat(path);
    const { mode } = found;
    if (!found.isDirectory()) return failed('is no directory', 'name a directory');
    // It would be marked as the pool, and what belongs to the server would fill the host.
    if (type === 'NetworkFilesystem' && found.dev === (await stat('/')).dev) {
      return failed('is on the root file system', 'mount the export of the server there');
    }
    await access(path, constants.W_OK | constants.X_OK);
    if ((mode & OTHERS_PASS) === 0) return failed('QEMU’s user cannot pass through it', `chmod o+x ${path}`);
    if (poolId !== undefined) {
      const { problem } = await lookAtPool({ path, type, poolId });
      if (problem !== undefined) return failed(problem, 'mount the pool there, or take it out of host.json');
    }
    const { bavail, bsize } = await statfs(path);
    return { name, status: 'ok', text: `writable, ${Math.floor((bavail * bsize) / GIB)} GiB free` };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      return failed('is not there', type === 'Filesystem' ? `mkdir -p -m 711 ${path}` : 'mount it');
    if (code === 'EROFS') return failed('its file system is read-only', 'mount it for writing');
    if (code === 'EACCES') return failed('cannot be written to', 'run as root, or give the directory to this user');
    return failed(message, 'repair it, or name another directory');
  }
}
