import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { startOriginServer } from '../../demo/origin-server.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { defaultSettings, downloadSettings } from '../../shared/settings.js';
import { makePool } from '../../tests/support/test-pool.js';
import type { HostDependencies } from './dependencies.js';
import { downloadTier } from './download-tier.js';
import { sealTier } from './tier-secrets.js';

it('asks no source for a file that does not fit on the pool', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'slipway-tier-'));
  const origin = await startOriginServer();
  try {
    origin.serve('/disk', { content: 'bytes' });
    const pool = await makePool(directory);
    const keyPair = await generateKeyPair();
    const dependencies = {
      keyPair,
      pools: new Map([[pool.poolId, pool]]),
    } as Partial<HostDependencies> as HostDependencies;
    const url = `${origin.url}/disk`;
    const input = {
      poolId: pool.poolId,
      copy: { templateId: randomUUID(), generation: 1, epoch: 1 },
      resumeFrom: null,
      tier: {
        priority: 1,
        mirrors: [url],
        sealed: await sealTier({ urls: [url], registered: { url, headers: [] } }, keyPair),
      },
      avoid: [],
      hasVouchedDigest: false,
      algorithms: ['SHA-256' as const],
      settings: downloadSettings({ ...defaultSettings(), 'secstorage.allowed.internal.sites': '127.0.0.0/8' }),
    };
    const run = (expectedSizeBytes: number) =>
      new MockActivityEnvironment().run(downloadTier(dependencies), { ...input, expectedSizeBytes });
    await expect(run(2 ** 60)).rejects.toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    expect(origin.statistics('/disk').requests).toBe(0);
    expect(await pool.list()).toEqual([]);
    // The same fits when it has the size that it really has.
    await expect(run(5)).resolves.toMatchObject({ sizeBytes: 5 });
  } finally {
    await origin.stop();
    await rm(directory, { recursive: true });
  }
});
