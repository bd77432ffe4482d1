import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why no file system can be mounted here; undefined when one can. */
export const mountObstacle = process.geteuid?.() === 0 ? undefined : 'only root may mount';

export interface SmallFileSystem {
  path: string;
  /** As the kernel does with a disk that fails, and back. */
  remount(mode: 'ro' | 'rw'): Promise<void>;
  remove(): Promise<void>;
}

/** A file system of its own, of `sizeBytes` and in memory, that a test can fill up. */
export async function mountSmallFileSystem(sizeBytes: number): Promise<SmallFileSystem> {
  const directory = await mkdtemp(path.join(tmpdir(), 'slipway-small-'));
  await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=0711`, 'slipway-test', directory]);
  return {
    path: directory,
    async remount(mode) {
      await run('mount', ['-o', `remount,${mode}`, directory]);
    },
    async remove() {
      await run('umount', ['--lazy', directory]);
      await rm(directory, { recursive: true });
    },
  };
}
