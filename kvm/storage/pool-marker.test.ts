import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimPoolDirectory, POOL_MARKER, requirePoolMarker } from './pool-marker.js';

const installationId = 'installation-1';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'slipway-marker-'));
});
afterEach(() => rm(directory, { recursive: true }));

const refused = (reason: RegExp) => ({ code: 'SLIPWAY_POOL_IO', message: expect.stringMatching(reason) as string });

describe('a directory that becomes a pool', () => {
  test('should be the pool that it was said to be, whoever asks again', async () => {
    const poolId = randomUUID();
    expect(await claimPoolDirectory(directory, { installationId, poolId })).toBe(poolId);
    expect(await claimPoolDirectory(directory, { installationId, poolId })).toBe(poolId);
    expect(await claimPoolDirectory(directory, { installationId })).toBe(poolId);
    expect(await readdir(directory)).toEqual([POOL_MARKER]);
    expect((await stat(join(directory, POOL_MARKER))).mode & 0o777).toBe(0o644);
  });

  test('should be one pool for hosts that join at the same time', async () => {
    const claims = Array.from({ length: 10 }, () => claimPoolDirectory(directory, { installationId }));
    expect(new Set(await Promise.all(claims)).size).toBe(1);
    expect(await readdir(directory)).toEqual([POOL_MARKER]);
  });

  test('should not become another pool', async () => {
    await claimPoolDirectory(directory, { installationId });
    const claim = claimPoolDirectory(directory, { installationId, poolId: randomUUID() });
    await expect(claim).rejects.toMatchObject(refused(/^\S+ is pool \S+, and pool \S+ is expected there$/));
  });

  test("should not become another installation's", async () => {
    await claimPoolDirectory(directory, { installationId });
    const claim = claimPoolDirectory(directory, { installationId: 'installation-2' });
    await expect(claim).rejects.toMatchObject(refused(/is a pool of another installation/));
  });

  test('should not be inside a pool, also behind a link', async () => {
    await claimPoolDirectory(directory, { installationId });
    const inner = join(directory, 'a', 'b');
    await mkdir(inner, { recursive: true });
    const elsewhere = await mkdtemp(join(tmpdir(), 'slipway-marker-'));
    await symlink(inner, join(elsewhere, 'link'));
    try {
      for (const path of [inner, join(elsewhere, 'link')]) {
        await expect(claimPoolDirectory(path, { installationId })).rejects.toMatchObject(
          refused(/is inside \S+, which is/),
        );
      }
      expect(await readdir(inner)).toEqual([]);
    } finally {
      await rm(elsewhere, { recursive: true });
    }
  });
});

describe('the marker of a pool', () => {
  test('should be of the very pool', async () => {
    const poolId = await claimPoolDirectory(directory, { installationId });
    await expect(requirePoolMarker(directory, poolId)).resolves.toBeUndefined();
    await expect(requirePoolMarker(directory, randomUUID())).rejects.toMatchObject(
      refused(/right file system mounted/),
    );
  });

  test('should be missed where nothing is mounted', async () => {
    await expect(requirePoolMarker(directory, randomUUID())).rejects.toMatchObject(
      refused(/Is the pool mounted there/),
    );
  });

  test.each([
    ['nothing', ''],
    ['no JSON', '{ "poolId": '],
    ['no object', 'null'],
    ['a path for an id', JSON.stringify({ poolId: '../..', installationId })],
    ['no installation', JSON.stringify({ poolId: randomUUID() })],
  ])('should not be believed, nor replaced, with %s in it', async (_name, content) => {
    await writeFile(join(directory, POOL_MARKER), content);
    await expect(requirePoolMarker(directory, randomUUID())).rejects.toMatchObject(refused(/is damaged/));
    await expect(claimPoolDirectory(directory, { installationId })).rejects.toMatchObject(refused(/is damaged/));
    expect(await readFile(join(directory, POOL_MARKER), 'utf8')).toBe(content);
  });

  test('should be a file of the directory itself', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'slipway-marker-'));
    const poolId = await claimPoolDirectory(elsewhere, { installationId });
    await symlink(join(elsewhere, POOL_MARKER), join(directory, POOL_MARKER));
    await expect(requirePoolMarker(directory, poolId)).rejects.toThrow('is a link');
    await rm(elsewhere, { recursive: true });
  });
});
