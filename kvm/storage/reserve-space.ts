import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { unlessMissing } from './pool-error.js';

/** What `fallocate` says where a file system cannot reserve. NFS before 4.2 is one. */
const IS_FULL = /No space left on device|Disk quota exceeded/;

/**
 * Has the file system set blocks aside for a file that will be written as a whole, so that what else grows on the pool
 * cannot take them in the meantime. The file's length stays: a resumed download reads from it how far it came. Nothing
 * happens where there is no such file, no `fallocate`, or a file system that cannot.
 *
 * @param signal ends it at once: some file systems write all the zeros, and others hang
 * @throws Error with code ENOSPC
 */
export async function reserveSpace(path: string, sizeBytes: number, signal?: AbortSignal): Promise<void> {
  const file = await unlessMissing(open(path, constants.O_RDWR | constants.O_NOFOLLOW));
  if (!file) return;
  try {
    // By its descriptor: `fallocate` would make a file that was installed or discarded meanwhile anew.
    const child = spawn('fallocate', ['--keep-size', '--length', String(sizeBytes), '/proc/self/fd/3'], {
      stdio: ['ignore', 'ignore', 'pipe', file.fd],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      signal,
      killSignal: 'SIGKILL',
    });
    // There is none when no descriptor was left for it.
    const complaint = child.stderr ? text(child.stderr).catch(() => '') : Promise.resolve('');
    const [exitCode] = (await once(child, 'close').catch(() => [null])) as [number | null];
    if (exitCode === 0 || signal?.aborted || !IS_FULL.test(await complaint)) return;
    throw Object.assign(new Error('No space left on device'), { code: 'ENOSPC' });
  } finally {
    await file.close();
  }
}
