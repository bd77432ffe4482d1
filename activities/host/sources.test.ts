import { MockActivityEnvironment } from '@temporalio/testing';
import { metalinkDocument, type OriginServer, startOriginServer } from '../../demo/origin-server.js';
import type { RegisteredSource } from '../../kvm/download/source-client.js';
import { createHostKeys } from '../../kvm/keystore/host-keys.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { sealJson } from '../../kvm/keystore/sealed-json.js';
import { downloadSettings } from '../../shared/download-settings.js';
import { defaultSettings } from '../../shared/settings.js';
import type { SealedSourcePlan } from '../../shared/templates.js';
import { trusting } from '../../tests/support/certificate-authority.js';
import type { HostDependencies } from './dependencies.js';
import { readSources } from './sources.js';
import { openTier } from './tier-secrets.js';

let origin: OriginServer;
beforeEach(async () => void (origin = await startOriginServer()));
afterEach(() => origin.stop());

const settings = downloadSettings({ ...defaultSettings(), 'secstorage.allowed.internal.sites': '127.0.0.0/8' });

/** Reads a metalink whose mirrors have a priority each, registered with a header of so many characters. */
async function read(mirrorCount: number, headerLength: number) {
  const mirrors = Array.from({ length: mirrorCount }, (_, index) => ({
    url: `https://mirror-${index}.example/disk.raw?token=secret`,
    priority: index + 1,
  }));
  const content = metalinkDocument({ name: 'disk.raw', sizeBytes: 5, sha256: '0'.repeat(64), mirrors });
  origin.serve('/disk.meta4', { content, contentType: 'application/metalink4+xml' });
  const keyPair = await generateKeyPair();
  const registered: RegisteredSource = {
    url: `${origin.url}/disk.meta4?token=secret`,
    headers: [['X-Token', 'secret'.padEnd(headerLength, '.')]],
  };
  const url = { display: `${origin.url}/disk.meta4`, sealed: await sealJson(registered, keyPair.publicKey) };
  const plan: Promise<SealedSourcePlan> = new MockActivityEnvironment().run(
    readSources({ keys: createHostKeys([keyPair]), certificates: { trust: trusting() } } as HostDependencies),
    { url, format: 'RAW' as const, settings, poolId: 'pool', copy: { templateId: '', generation: 1, epoch: 1 } },
  );
  return { plan: await plan, mirrors, registered, keyPair };
}

it('seals the mirrors of each tier with what was registered', async () => {
  const { plan, mirrors, registered, keyPair } = await read(2, 100);
  expect(JSON.stringify(plan)).not.toContain('secret');
  expect(plan.tiers.map((tier) => tier.mirrors)).toEqual([
    ['https://mirror-0.example/disk.raw'],
    ['https://mirror-1.example/disk.raw'],
  ]);
  for (const [index, { sealed }] of plan.tiers.entries()) {
    expect(await openTier(sealed, createHostKeys([keyPair]))).toEqual({ urls: [mirrors[index]!.url], registered });
  }
});

it('carries the tiers of a long list of mirrors with a long token', async () => {
  expect((await read(150, 2000)).plan.tiers).toHaveLength(150);
});

it('refuses what Temporal would not carry, and says why', async () => {
  await expect(read(250, 4000)).rejects.toMatchObject({
    code: 'SLIPWAY_METALINK_TOO_LARGE',
    message: `${origin.url}/disk.meta4: 250 priorities, each with the template's URL and HTTP headers, are too much`,
  });
});
