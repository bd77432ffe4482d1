import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HashingFile } from './hashing-file.js';
import { MIB, randomContent } from './test-support.js';

const run = promisify(execFile);
/** A disk that loses bytes is made of a loop device over a full file system, which takes root to set up. */
const whenLoopDevices = process.getuid?.() === 0 && existsSync('/dev/loop-control') ? it : it.skip;

/** A disk of 32 MiB, of which the last written bytes do not arrive until `repair`. */
async function mountBrokenDisk(directory: string): Promise<{ path: string; repair: () => Promise<void> }> {
  const backing = join(directory, 'backing');
  const path = join(directory, 'disk');
  const image = join(backing, 'image');
  const filler = join(backing, 'filler');
  await mkdir(backing);
  await mkdir(path);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'slipway-test', backing]);
  await writeFile(image, '');
  await truncate(image, 32 * MIB);
  await run('mkfs.ext4', ['-q', '-O', '^has_journal', image]);
  await writeFile(filler, Buffer.alloc(12 * MIB));
  await run('mount', ['-o', 'loop', image, path]);
  return { path, repair: () => rm(filler) };
}

describe('a file whose sync has failed', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-hashing-file-'));
  });
  afterEach(async () => {
    for (const name of ['disk', 'backing']) await run('umount', [join(directory, name)]).catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  });

  whenLoopDevices('is never good again, although the next sync succeeds', async () => {
    const disk = await mountBrokenDisk(directory);
    const file = await HashingFile.open(join(disk.path, 'image.partial'), 0, ['SHA-256']);
    try {
      file.write(randomContent(8 * MIB));
      await file.flush();
      await expect(file.syncWritten()).rejects.toMatchObject({ code: expect.stringMatching(/^SLIPWAY_POOL_/) });
      await disk.repair();
      await expect(file.finish()).rejects.toMatchObject({ code: expect.stringMatching(/^SLIPWAY_POOL_/) });
      await expect(file.flush()).rejects.toMatchObject({ code: expect.stringMatching(/^SLIPWAY_POOL_/) });
    } finally {
      await file.close();
    }
  });
});
