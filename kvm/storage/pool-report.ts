import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolPlace, PoolReport } from '../../shared/hosts.js';
import { misplacement } from './pool-marker.js';

/** A file server that is away makes whoever asks wait for it. The other pools, and the host, are reported all the same. */
const PATIENCE_MS = 10_000;

export type PoolLook = Pick<PoolReport, 'capacityBytes' | 'usedBytes' | 'problem'>;

/**
 * Reports of one pool. While a look hangs no other begins: each would hold one of the few threads that all file systems
 * share.
 */
export function createPoolReporter(
  place: PoolPlace,
  { look = lookAtPool, patienceMs = PATIENCE_MS } = {},
): () => Promise<PoolReport> {
  let last: PoolLook = { capacityBytes: 0, usedBytes: 0 };
  let running: Promise<PoolLook> | undefined;
  return async () => {
    running ??= look(place).finally(() => (running = undefined));
    const patience = new AbortController();
    const silence = sleep(patienceMs, undefined, { signal: patience.signal }).then(
      () => ({ ...last, problem: 'its file system does not answer' }),
      () => last,
    );
    last = await Promise.race([running, silence]);
    patience.abort();
    return { ...place, ...last };
  };
}

/**
 * How large a pool is, and whether new disks can be made on it. Nothing is written to find out. Sizes are 0 when nobody
 * can tell.
 */
export async function lookAtPool({ path, poolId }: PoolPlace): Promise<PoolLook> {
  let size = { capacityBytes: 0, usedBytes: 0 };
  try {
    // First: on the directory below a mount point the size would be that of another file system.
    const problem = await misplacement(path, poolId);
    if (problem !== undefined) return { ...size, problem };
    const { blocks, bfree, bsize } = await statfs(path);
    size = { capacityBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize };
    await access(path, constants.W_OK);
    return size;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ...size, problem: code === 'EROFS' ? 'its file system is read-only' : message };
  }
}
