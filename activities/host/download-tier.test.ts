import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type OriginServer, startOriginServer } from '../../demo/origin-server.js';
import { createHostKeys } from '../../kvm/keystore/host-keys.js';
import { generateKeyPair, type KeyPair } from '../../kvm/keystore/sealed-box.js';
import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import type { DownloadResult } from '../../shared/images.js';
import { downloadSettings } from '../../shared/download-settings.js';
import { defaultSettings } from '../../shared/settings.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import { trusting } from '../../tests/support/certificate-authority.js';
import { mountObstacle, mountSmallFileSystem } from '../../tests/support/small-file-system.js';
import { itUnless } from '../../tests/support/unless.js';
import { makePool } from '../../tests/support/test-pool.js';
import { waitFor } from '../../tests/support/wait-for.js';
import { Bandwidth } from '../../kvm/download/bandwidth.js';
import type { HostDependencies } from './dependencies.js';
import { downloadTier } from './download-tier.js';
import { sealTier } from './tier-secrets.js';

const MiB = 1024 ** 2;
const copy: TemplateCopyRef = { templateId: randomUUID(), generation: 1, epoch: 2 };
let directory: string;
let keyPair: KeyPair;
let origin: OriginServer;

beforeAll(async () => {
  keyPair = await generateKeyPair();
  origin = await startOriginServer();
});
afterAll(() => origin.stop());
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'slipway-tier-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** Downloads `/disk` of the origin to a pool, as a host that has it. */
async function run(
  pool: FilesystemPool,
  input: { copy: TemplateCopyRef; resumeFrom?: TemplateCopyRef; expectedSizeBytes?: number },
  activity = new MockActivityEnvironment(),
): Promise<DownloadResult> {
  const url = `${origin.url}/disk`;
  const dependencies: Partial<HostDependencies> = {
    keys: createHostKeys([keyPair]),
    bandwidth: new Bandwidth(),
    certificates: { trust: trusting() } as HostDependencies['certificates'],
    pools: new Map([[pool.poolId, pool]]),
  };
  const result = await activity.run(downloadTier(dependencies as HostDependencies), {
    poolId: pool.poolId,
    resumeFrom: null,
    tier: {
      priority: 1,
      mirrors: [url],
      sealed: await sealTier({ urls: [url], registered: { url, headers: [] } }, keyPair),
    },
    avoid: [],
    hasPieces: false,
    hasVouchedDigest: false,
    isOneAtATime: false,
    algorithms: ['SHA-256' as const],
    settings: downloadSettings({ ...defaultSettings(), 'secstorage.allowed.internal.sites': '127.0.0.0/8' }),
    ...input,
  });
  return result as DownloadResult;
}

it('asks no source for a file that does not fit on the pool', async () => {
  const pool = await makePool(directory);
  origin.serve('/disk', { content: 'bytes' });
  const { requests } = origin.statistics('/disk');
  await expect(run(pool, { copy, expectedSizeBytes: 2 ** 60 })).rejects.toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
  expect(origin.statistics('/disk').requests).toBe(requests);
  expect(await pool.list()).toEqual([]);
  // The same fits when it has the size that it really has.
  await expect(run(pool, { copy, expectedSizeBytes: 5 })).resolves.toMatchObject({ sizeBytes: 5 });
});

it('asks no source for a pool that is not mounted', async () => {
  const pool = await makePool(directory);
  await rm(path.join(directory, '.slipway-pool'));
  await expect(run(pool, { copy })).rejects.toMatchObject({ code: 'SLIPWAY_POOL_IO' });
  expect(await readdir(directory)).toEqual([]);
});

// Needs root, who may mount.
itUnless(mountObstacle, 'ends at once when the size that a source tells does not fit', async () => {
  const small = await mountSmallFileSystem(8 * MiB);
  try {
    const pool = await makePool(small.path);
    // At this speed the whole file would take 16 seconds.
    origin.serve('/disk', { content: Buffer.alloc(16 * MiB, 1), bytesPerSecond: MiB });
    const before = origin.statistics('/disk').bytes;
    await expect(run(pool, { copy })).rejects.toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    expect(origin.statistics('/disk').bytes - before).toBeLessThan(8 * MiB);
  } finally {
    await small.remove();
  }
});

it('goes on where another host of the pool has stopped, in a file of its own', async () => {
  const pool = await makePool(directory);
  const content = randomBytes(8 * MiB);
  origin.serve('/disk', { content, bytesPerSecond: 8 * MiB });
  const dead = { ...copy, epoch: 1 };
  const begun = origin.statistics('/disk').bytes;
  const activity = new MockActivityEnvironment();
  const first = run(pool, { copy: dead }, activity);
  await waitFor('half of it is served', async () => origin.statistics('/disk').bytes - begun > 4 * MiB);
  activity.cancel();
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });

  origin.serve('/disk', { content });
  const { resumedFromBytes } = await run(await makePool(directory, pool.poolId), { copy, resumeFrom: dead });
  expect(resumedFromBytes).toBeGreaterThan(3 * MiB);
  expect((await readFile(pool.partialPath(copy))).equals(content)).toBe(true);
  expect(await pool.listPartials()).toEqual([copy]);
});

it('unpacks anew, without the network, when what a finished download was unpacked to is gone', async () => {
  const pool = await makePool(directory);
  const image = randomBytes(MiB);
  origin.serve('/disk', { content: gzipSync(image) });
  const first = await run(pool, { copy });
  const { requests } = origin.statistics('/disk');
  await rm(pool.unpackedPath(copy));
  const second = await run(pool, { copy });
  expect(second.unpacked).toEqual(first.unpacked);
  expect((await readFile(pool.unpackedPath(copy))).equals(image)).toBe(true);
  expect(origin.statistics('/disk').requests).toBe(requests);
});
