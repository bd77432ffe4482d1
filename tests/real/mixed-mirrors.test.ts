import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RateLimit } from '../../kvm/download/bandwidth.js';
import { readSources } from '../../kvm/download/read-sources.js';
import { DownloadBench, MIB, randomContent, sha256 } from '../../kvm/download/test-support.js';
import { displayUrl } from '../../shared/display-url.js';
import type { DownloadProgress, MirrorReport } from '../../shared/images.js';
import { ganeshaObstacle, startGanesha, type GaneshaServer } from '../support/ganesha.js';
import { nginxObstacle, startNginx, type Nginx } from '../support/nginx.js';
import { trusting } from '../support/certificate-authority.js';
import { metalinkOf, realSettings } from '../support/real-sources.js';
import { describeUnless } from '../support/unless.js';

const PIECE_BYTES = MIB;
/** Slow enough for each mirror to have a part. */
const MIB_PER_SECOND = 16;
const KINDS = ['http', 'https', 'ipv6', 'nfs'] as const;
type Kind = (typeof KINDS)[number];

// Real servers, which take root and what `scripts/setup --for-tests` installs.
describeUnless(nginxObstacle() ?? ganeshaObstacle(), 'mirrors of four kinds', () => {
  const image = randomContent(48 * MIB + 12_345);
  const digest = sha256(image);
  const settings = realSettings();
  let nginx: Nginx;
  let nfs: GaneshaServer;
  let bench: DownloadBench;

  beforeAll(async () => {
    [nginx, nfs] = await Promise.all([startNginx(), startGanesha()]);
    const wrong = Buffer.from(image);
    wrong.writeUInt8(wrong.readUInt8(100) ^ 1, 100);
    for (const [name, content] of Object.entries({ right: image, wrong })) {
      await nginx.put(name, content);
      await writeFile(join(nfs.directory, name), content, { mode: 0o644 });
    }
    await nginx.restart('', `limit_rate ${MIB_PER_SECOND}m;`);
  });
  afterAll(async () => {
    await nginx?.stop();
    await nfs?.stop();
  });
  beforeEach(async () => {
    bench = await DownloadBench.start();
  });
  afterEach(() => bench.stop());

  const urlOf = (kind: Kind, file: string): string =>
    ({
      http: `http://127.0.0.1:${nginx.port}/${file}`,
      https: `https://127.0.0.1:${nginx.tlsPort}/${file}`,
      ipv6: `http://[::1]:${nginx.port}/${file}`,
      nfs: nfs.url(file),
    })[kind];

  /** Registers a metalink of these mirrors, and downloads from what it says. */
  const fetch = async (urls: readonly string[], onProgress?: (progress: DownloadProgress) => void) => {
    await nginx.put('disk.meta4', metalinkOf(image, PIECE_BYTES, urls));
    const { signal } = new AbortController();
    const plan = await readSources(urlOf('http', 'disk.meta4'), 'RAW', settings, { signal });
    expect(plan.tiers).toHaveLength(1);
    const nfsLimit = [new RateLimit(MIB_PER_SECOND * MIB)];
    return bench.download(
      {
        sources: plan.tiers[0]?.urls ?? [],
        expectedSizeBytes: plan.sizeBytes,
        pieces: plan.pieces,
        hasVouchedDigest: true,
        settings,
      },
      {
        trust: trusting(nginx.authorityPem),
        onProgress,
        limitsOf: ({ protocol }) => (protocol === 'nfs:' ? nfsLimit : []),
      },
    );
  };
  const receivedBytes = (mirrors: readonly MirrorReport[]): number =>
    mirrors.reduce((sum, { bytes }) => sum + bytes, 0);

  it('bring a file together', async () => {
    let atOnce = 0;
    const result = await fetch(
      KINDS.map((kind) => urlOf(kind, 'right')),
      ({ mirrors }) => (atOnce = Math.max(atOnce, mirrors.length)),
    );
    expect(result.digests[0]?.value).toBe(digest);
    expect(sha256(await bench.read())).toBe(digest);
    expect(atOnce).toBe(KINDS.length);
    expect(result.mirrors.map(({ outcome }) => outcome)).toEqual(KINDS.map(() => 'used'));
    expect(Math.min(...result.mirrors.map(({ bytes }) => bytes))).toBeGreaterThanOrEqual(PIECE_BYTES);
    expect(receivedBytes(result.mirrors)).toBeLessThan(image.length + 2 * PIECE_BYTES);
  });

  it.each(KINDS)('name the one of %s that has a wrong byte, and bring one piece again', async (guilty) => {
    const others = KINDS.filter((kind) => kind !== guilty).map((kind) => urlOf(kind, 'right'));
    // The first mirror begins with the first bytes.
    const result = await fetch([urlOf(guilty, 'wrong'), ...others]);
    expect(result.digests[0]?.value).toBe(digest);
    expect(sha256(await bench.read())).toBe(digest);
    const [blamed, ...innocent] = result.mirrors;
    expect(blamed).toMatchObject({
      url: displayUrl(urlOf(guilty, 'wrong')),
      outcome: 'failed',
      code: 'SLIPWAY_SOURCE_PIECE',
      reason: expect.stringContaining('bytes 0 to 1048575 have a wrong hash'),
    });
    expect(innocent.map(({ outcome }) => outcome)).toEqual(others.map(() => 'used'));
    const received = receivedBytes(result.mirrors);
    expect(received).toBeGreaterThanOrEqual(image.length + PIECE_BYTES);
    expect(received).toBeLessThan(image.length + 3 * PIECE_BYTES);
  });
});
