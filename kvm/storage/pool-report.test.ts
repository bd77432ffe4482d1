import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { mountObstacle, mountSmallFileSystem, type SmallFileSystem } from '../../tests/support/small-file-system.js';
import { describeUnless } from '../../tests/support/unless.js';
import { claimPoolDirectory, POOL_MARKER } from './pool-marker.js';
import { createPoolReporter, lookAtPool, type PoolLook } from './pool-report.js';

const run = promisify(execFile);
const MiB = 1024 ** 2;

// Only root can mount, and take a mount away from under a pool.
describeUnless(mountObstacle, 'lookAtPool', () => {
  const poolId = randomUUID();
  let disk: SmallFileSystem;
  const look = () => lookAtPool({ poolId, type: 'Filesystem', path: disk.path });

  beforeEach(async () => {
    disk = await mountSmallFileSystem(4 * MiB);
    await claimPoolDirectory(disk.path, { installationId: randomUUID(), poolId });
  });
  afterEach(() => disk.remove());

  it('finds nothing wrong with a pool that can be written to, and tells its size', async () => {
    expect(await look()).toEqual({ capacityBytes: 4 * MiB, usedBytes: 4096 });
  });

  it('finds a file system that turned read-only, also as root, and that it is well again', async () => {
    await run('mount', ['-o', 'remount,ro', disk.path]);
    expect(await look()).toMatchObject({ capacityBytes: 4 * MiB, problem: 'its file system is read-only' });
    await run('mount', ['-o', 'remount,rw', disk.path]);
    expect(await look()).not.toHaveProperty('problem');
  });

  it('finds a file system that was mounted read-only on top of a writable one', async () => {
    await run('mount', ['--bind', '-o', 'ro', disk.path, disk.path]);
    try {
      expect(await look()).toMatchObject({ problem: 'its file system is read-only' });
    } finally {
      await run('umount', [disk.path]);
    }
  });

  it('finds a file system that is gone, and does not take the size of what is below for its own', async () => {
    await run('umount', ['--lazy', disk.path]);
    try {
      expect(await look()).toEqual({
        capacityBytes: 0,
        usedBytes: 0,
        problem: `${disk.path} has no file ${POOL_MARKER}. Is the pool mounted there?`,
      });
    } finally {
      await run('mount', ['-t', 'tmpfs', 'slipway-test', disk.path]);
    }
  });

  it('finds that the directory itself is gone', async () => {
    const place = { poolId, type: 'Filesystem', path: path.join(disk.path, 'inside') } as const;
    expect((await lookAtPool(place)).problem).toContain('Is the pool mounted there?');
  });

  it('finds a marker that was removed', async () => {
    await rm(path.join(disk.path, POOL_MARKER));
    expect((await look()).problem).toContain(`has no file ${POOL_MARKER}`);
  });
});

describe('createPoolReporter', () => {
  const place = { poolId: randomUUID(), type: 'NetworkFilesystem', path: '/pool' } as const;

  it('reports a file system that does not answer with its last size, and asks it once until it answers', async () => {
    const well: PoolLook = { capacityBytes: 1000, usedBytes: 10 };
    let answer: ((look: PoolLook) => void) | undefined;
    let looks = 0;
    const look = (): Promise<PoolLook> =>
      looks++ === 0 ? Promise.resolve(well) : new Promise((resolve) => (answer = resolve));
    const report = createPoolReporter(place, { look, patienceMs: 20 });
    expect(await report()).toEqual({ ...place, ...well });
    const silent = { ...place, ...well, problem: 'its file system does not answer' };
    expect([await report(), await report(), looks]).toEqual([silent, silent, 2]);
    answer!(well);
    expect([await report(), looks]).toEqual([{ ...place, ...well }, 2]);
  });
});
