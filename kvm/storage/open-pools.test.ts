import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNested } from './nested-directories.js';
import { openPools } from './open-pools.js';

describe('nested directories', () => {
  test.each<[string, string[], { outer: number; inner: number } | undefined]>([
    ['apart', ['/a', '/b'], undefined],
    ['one whose name only begins alike', ['/a', '/ab', '/a-b/c'], undefined],
    ['the same', ['/b', '/a', '/a'], { outer: 1, inner: 2 }],
    ['one inside the next', ['/a/b/c', '/a/b'], { outer: 1, inner: 0 }],
    ['the root', ['/a', '/'], { outer: 1, inner: 0 }],
    ['none', [], undefined],
  ])('%s', (_name, paths, expected) => {
    expect(findNested(paths)).toEqual(expected);
  });
});

describe('the pools of a host', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-pools-'));
    await mkdir(join(directory, 'a', 'inner'), { recursive: true });
  });
  afterEach(() => rm(directory, { recursive: true }));

  const places = (...names: string[]) =>
    names.map((name) => ({ poolId: `pool-${name}`, type: 'Filesystem' as const, path: join(directory, name) }));

  test('should be opened by id, mounted or not', async () => {
    expect([...(await openPools(places('a', 'missing'))).keys()]).toEqual(['pool-a', 'pool-missing']);
  });

  test('should not be one inside another, also behind a link', async () => {
    await symlink(join(directory, 'a', 'inner'), join(directory, 'link'));
    for (const inner of ['a/inner', 'link']) {
      await expect(openPools(places(inner, 'a'))).rejects.toMatchObject({
        code: 'SLIPWAY_POOL_IO',
        message: expect.stringMatching(/of pool \S+ is inside \S+, which is pool pool-a$/) as string,
      });
    }
  });
});
