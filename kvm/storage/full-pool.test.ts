import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mountObstacle, mountSmallFileSystem, type SmallFileSystem } from '../../tests/support/small-file-system.js';
import { describeUnless } from '../../tests/support/unless.js';
import { makePool } from '../../tests/support/test-pool.js';
import { writeJournal } from '../download/journal.js';
import type { FilesystemPool } from './filesystem-pool.js';
import { reserveSpace } from './reserve-space.js';

const MIB = 1024 ** 2;
const ref = { templateId: randomUUID(), generation: 1, epoch: 2 };
const dead = { ...ref, epoch: 1 };

// Needs root, who may mount: a file system of its own is what can be full without harm.
describeUnless(mountObstacle, 'a pool of 8 MiB', () => {
  let fileSystem: SmallFileSystem;
  let pool: FilesystemPool;

  beforeEach(async () => {
    fileSystem = await mountSmallFileSystem(8 * MIB);
    pool = await makePool(fileSystem.path);
  });
  afterEach(() => fileSystem.remove());

  const errorOf = (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);

  async function fill(): Promise<void> {
    const { bavail, bsize } = await statfs(fileSystem.path);
    await writeFile(join(fileSystem.path, 'of-somebody-else'), Buffer.alloc(bavail * bsize, 1));
  }

  test('should refuse what the file system has not, and keep what was downloaded', async () => {
    await writeFile(pool.partialPath(ref), Buffer.alloc(2 * MIB, 1));
    await expect(pool.reserveSpaceFor(ref, 7 * MIB)).resolves.toBeUndefined();
    expect(await errorOf(pool.reserveSpaceFor(ref, 9 * MIB))).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    expect((await stat(pool.partialPath(ref))).size).toBe(2 * MIB);
  });

  test('should keep space that was set aside from others', async () => {
    await writeFile(pool.partialPath(ref), 'begun');
    await pool.reserveSpaceFor(ref, 6 * MIB);
    expect(await errorOf(pool.ensureSpaceFor(dead, 4 * MIB))).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    await fill();
    await expect(writeFile(pool.partialPath(ref), Buffer.alloc(5 * MIB, 1), { flag: 'r+' })).resolves.toBeUndefined();
  });

  test('should not be asked for space by a size alone: another may have taken it since', async () => {
    await writeFile(pool.partialPath(ref), '');
    await fill();
    await expect(reserveSpace(pool.partialPath(ref), MIB)).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  test('should install what is there when nothing more fits', async () => {
    await writeFile(pool.partialPath(ref), Buffer.alloc(MIB));
    await fill();
    expect(await pool.installTemplate(ref, 'RAW', false)).toMatchObject({
      physicalSizeBytes: MIB,
      allocatedBytes: MIB,
    });
  });

  test('should count an image with holes for what it takes', async () => {
    await writeFile(pool.unpackedPath(ref), Buffer.alloc(MIB, 1));
    await truncate(pool.unpackedPath(ref), 100 * MIB);
    const installed = await pool.installTemplate(ref, 'RAW', true);
    expect(installed).toMatchObject({ physicalSizeBytes: 100 * MIB, allocatedBytes: MIB });
  });

  test('should leave no half-made root disk', async () => {
    await writeFile(pool.partialPath(ref), Buffer.alloc(MIB));
    const { installPath } = await pool.installTemplate(ref, 'RAW', false);
    await fill();
    const disk = { type: 'overlay', template: installPath, templateFormat: 'RAW', sizeBytes: null } as const;
    expect(await errorOf(pool.createRootVolume({ volumeId: randomUUID(), token: 1, disk }))).toMatchObject({
      code: 'SLIPWAY_POOL_FULL',
    });
    expect((await pool.list()).toSorted()).toEqual([installPath, 'of-somebody-else'].toSorted());
  });

  test("should let a new try begin at its first byte when a dead one's do not fit twice", async () => {
    await writeFile(pool.partialPath(dead), Buffer.alloc(5 * MIB, 1));
    const source = { url: 'http://images.example/disk', totalBytes: 6 * MIB };
    await writeJournal(pool.partialPath(dead), { synced: [{ fromByte: 0, endByte: 5 * MIB }], source });
    await pool.adoptPartial(dead, ref, new AbortController().signal);
    expect(await pool.list()).toEqual([]);
    await expect(pool.ensureSpaceFor(ref, 6 * MIB)).resolves.toBeUndefined();
  });

  test('should be missed when it is not mounted any more, and the directory below stay empty', async () => {
    const below = fileSystem.path;
    const lost = await makePool(below, pool.poolId);
    await fileSystem.remove();
    await mkdir(below);
    try {
      expect(await errorOf(lost.ensureSpaceFor(ref, 1))).toMatchObject({
        code: 'SLIPWAY_POOL_IO',
        message: expect.stringContaining('Is the pool mounted there?') as string,
      });
      expect(await readdir(below)).toEqual([]);
    } finally {
      await rm(below, { recursive: true });
      fileSystem = await mountSmallFileSystem(MIB);
    }
  });
});
