import { execFile } from 'node:child_process';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { metalinkDocument } from '../../demo/origin-server.js';
import type { ImageFormat, ProbeResult } from '../../shared/images.js';
import { programObstacle } from '../../tests/support/obstacles.js';
import { describeUnless } from '../../tests/support/unless.js';
import { probe } from './probe.js';
import { readSources, type SourcePlan } from './read-sources.js';
import { DownloadBench, randomContent, testSettings } from './test-support.js';

let bench: DownloadBench;
beforeEach(async () => {
  bench = await DownloadBench.start();
});
afterEach(() => bench.stop());

const context = { signal: new AbortController().signal };

function qcow2Image(virtualSizeBytes: bigint): Buffer {
  const image = randomContent(5000);
  image.write('QFI\xfb', 'latin1');
  image.writeUInt32BE(3, 4);
  image.writeBigUInt64BE(virtualSizeBytes, 24);
  return image;
}

const probeUrl = (url: string, format: ImageFormat = 'QCOW2'): Promise<ProbeResult> =>
  probe(url, format, testSettings(), context);
const plan = (url: string): Promise<SourcePlan> => readSources(url, 'QCOW2', testSettings(), context);

const metalink = (...urls: string[]): string =>
  metalinkDocument({
    name: 'disk.qcow2',
    sizeBytes: 5000,
    sha256: 'a'.repeat(64),
    mirrors: urls.map((url, index) => ({ url, priority: index + 1, location: 'de' })),
  });

describe('probe', () => {
  it.each([[false], [true]])(
    'reads sizes from the first bytes (server without ranges: %s)',
    async (isIgnoringRange) => {
      bench.origin.serve('/disk.qcow2', { content: qcow2Image(1n << 33n), isIgnoringRange });
      expect(await probeUrl(`${bench.origin.url}/disk.qcow2`)).toEqual({
        isMetalink: false,
        sizeBytes: 5000,
        virtualSizeBytes: 2 ** 33,
        mirrors: [{ url: `${bench.origin.url}/disk.qcow2`, outcome: 'used', bytes: 512 }],
      });
      expect(bench.origin.statistics('/disk.qcow2').ranges).toEqual(['bytes=0-0', 'bytes=0-511']);
    },
  );

  it.each([
    ['gzip', '1f8b0800'],
    ['xz', 'fd377a585a00'],
    ['zstd', '28b52ffd'],
    ['bzip2', '425a6839'],
    ['zip', '504b0304'],
  ])('passes what is packed with %s: only unpacking it tells more', async (_what, magic) => {
    bench.origin.serve('/disk', { content: Buffer.concat([Buffer.from(magic, 'hex'), randomContent(5000)]) });
    const { sizeBytes, virtualSizeBytes } = await probeUrl(`${bench.origin.url}/disk`);
    expect([sizeBytes, virtualSizeBytes]).toEqual([5000 + magic.length / 2, undefined]);
  });

  it('passes when one mirror of a metalink answers, and reports all', async () => {
    bench.origin.serve('/good.qcow2', { content: qcow2Image(1024n) });
    bench.origin.serve('/page.qcow2', { content: Buffer.alloc(5000, '<html>') });
    bench.origin.serve('/short.qcow2', { content: 'x' });
    const names = ['gone', 'page', 'short', 'good'];
    const document = metalink(...names.map((name) => `${bench.origin.url}/${name}.qcow2`), 'http://169.254.169.254/a');
    bench.origin.serve('/disk.meta4', { content: document });
    const result = await probeUrl(`${bench.origin.url}/disk.meta4`);
    expect(result).toMatchObject({ isMetalink: true, sizeBytes: 5000, virtualSizeBytes: 1024 });
    expect(result.mirrors.map(({ outcome, code }) => code ?? outcome)).toEqual([
      'SLIPWAY_SOURCE_HTTP_4XX',
      'SLIPWAY_IMAGE_FORMAT',
      'SLIPWAY_SOURCE_SIZE',
      'used',
      'SLIPWAY_URL_FORBIDDEN',
    ]);
  });

  it('fails when none answers, with the reason of each', async () => {
    bench.origin.serve('/page', { content: '<html>Sign in</html>'.repeat(100) });
    await expect(probeUrl(`${bench.origin.url}/page?secret`)).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCES_EXHAUSTED',
      message: `No source could be read\n${bench.origin.url}/page: the file does not begin as a qcow2 image does`,
      details: [expect.objectContaining({ code: 'SLIPWAY_IMAGE_FORMAT' })],
    });
  });

  it('believes a raw image without looking into it', async () => {
    bench.origin.serve('/disk.raw', { content: randomContent(700) });
    expect(await probeUrl(`${bench.origin.url}/disk.raw`, 'RAW')).toMatchObject({ sizeBytes: 700 });
  });

  it('takes an ISO by its volume descriptor, which it asks for in one request', async () => {
    const content = Buffer.alloc(64 * 1024);
    content.write('CD001', 32 * 1024 + 1);
    bench.origin.serve('/boot.iso', { content });
    expect(await probeUrl(`${bench.origin.url}/boot.iso`, 'ISO')).toEqual({
      isMetalink: false,
      sizeBytes: content.length,
      mirrors: [{ url: `${bench.origin.url}/boot.iso`, outcome: 'used', bytes: 34 * 1024 }],
    });
    expect(bench.origin.statistics('/boot.iso').ranges).toEqual(['bytes=0-0', 'bytes=0-34815']);
  });

  it.each([
    ['a page', Buffer.from('<html>Sign in</html>'.repeat(5000))],
    ['a disk', qcow2Image(1n << 33n)],
    ['a file that ends before the descriptor', Buffer.alloc(32 * 1024)],
    ['a file that ends within the identifier', Buffer.concat([Buffer.alloc(32 * 1024 + 1), Buffer.from('CD0')])],
    ['the identifier one byte too early', Buffer.concat([Buffer.alloc(32 * 1024), Buffer.from('CD001'.padEnd(2048))])],
  ])('takes %s for no ISO', async (_what, content) => {
    bench.origin.serve('/boot.iso', { content });
    await expect(probeUrl(`${bench.origin.url}/boot.iso`, 'ISO')).rejects.toMatchObject({
      message: expect.stringContaining('the file does not begin as an ISO image does'),
      details: [expect.objectContaining({ code: 'SLIPWAY_IMAGE_FORMAT' })],
    });
  });

  it('passes a packed ISO, which may be shorter than what is asked for', async () => {
    const content = gzipSync(Buffer.alloc(100_000));
    bench.origin.serve('/boot.iso.gz', { content });
    expect(await probeUrl(`${bench.origin.url}/boot.iso.gz`, 'ISO')).toMatchObject({ sizeBytes: content.length });
  });

  describeUnless(programObstacle('/usr/bin/genisoimage'), 'a real ISO', () => {
    it.each([[false], [true]])('is taken for one (server without ranges: %s)', async (isIgnoringRange) => {
      const directory = join(bench.directory, 'files');
      const file = join(bench.directory, 'real.iso');
      await mkdir(directory);
      await writeFile(join(directory, 'notes'), randomContent(100_000));
      await promisify(execFile)('genisoimage', ['-quiet', '-R', '-J', '-o', file, directory]);
      bench.origin.serve('/real.iso', { content: { file }, isIgnoringRange });
      const { size } = await stat(file);
      expect(await probeUrl(`${bench.origin.url}/real.iso`, 'ISO')).toMatchObject({ sizeBytes: size });
      await expect(probeUrl(`${bench.origin.url}/real.iso`, 'QCOW2')).rejects.toMatchObject({
        details: [expect.objectContaining({ code: 'SLIPWAY_IMAGE_FORMAT' })],
      });
    });
  });

  it('lets what has answered decide when time is up', async () => {
    bench.origin.serve('/good.qcow2', { content: qcow2Image(1024n) });
    bench.mirror.serve('/mute', { content: qcow2Image(1024n), dropAfterBytes: { bytes: 0, isSilent: true } });
    const mute = Array.from({ length: 12 }, (_, index) => `${bench.mirror.url}/mute?${index}`);
    bench.origin.serve('/disk.meta4', { content: metalink(`${bench.origin.url}/good.qcow2`, ...mute) });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const settings = testSettings({ socketTimeoutMs: 60_000 });
    const result = await probe(`${bench.origin.url}/disk.meta4`, 'QCOW2', settings, controller);
    expect(result.mirrors[0]).toMatchObject({ outcome: 'used' });
    expect(result.mirrors.slice(1).map(({ outcome }) => outcome)).toEqual(mute.map(() => 'not tried'));
  });
});

describe('readSources', () => {
  it('takes a URL that is no metalink as the one source', async () => {
    bench.origin.serve('/latest', { content: randomContent(10) });
    const url = `${bench.origin.url}/latest?token=1`;
    expect(await plan(url)).toEqual({
      isMetalink: false,
      digests: [],
      tiers: [{ priority: 1, urls: [url] }],
      dropped: [],
    });
  });

  it.each([
    ['/disk.metalink', undefined],
    ['/disk.META4', 'text/plain'],
    ['/latest', 'application/metalink4+xml; charset=utf-8'],
    ['/latest', 'application/metalink+xml'],
  ])('knows the metalink at %s of type %s', async (path, contentType) => {
    bench.origin.serve(path, {
      content: metalink('http://a.example/disk', 'http://b.example/disk'),
      ...(contentType === undefined ? {} : { contentType }),
    });
    expect(await plan(bench.origin.url + path)).toEqual({
      isMetalink: true,
      sizeBytes: 5000,
      digests: [{ algorithm: 'SHA-256', value: 'a'.repeat(64) }],
      tiers: [
        { priority: 1, location: 'de', urls: ['http://a.example/disk'] },
        { priority: 2, location: 'de', urls: ['http://b.example/disk'] },
      ],
      dropped: [],
    });
  });

  it.each([
    ['is too long', { content: `<!--${'x'.repeat(16 * 1024 * 1024)}-->` }, 'SLIPWAY_METALINK_TOO_LARGE'],
    ['is a page', { content: '<html></html>' }, 'SLIPWAY_METALINK_INVALID'],
    ['is not there', { content: '', status: { code: 404 } }, 'SLIPWAY_SOURCE_HTTP_4XX'],
    [
      'redirects inside',
      { content: '', status: { code: 302, headers: { location: 'http://[::1]/' } } },
      'SLIPWAY_URL_FORBIDDEN',
    ],
  ])('refuses a document that %s', async (_what, file, code) => {
    bench.origin.serve('/disk.meta4', file);
    await expect(plan(`${bench.origin.url}/disk.meta4`)).rejects.toMatchObject({ code });
  });

  it('asks a busy server for the document again', async () => {
    const content = metalink('http://a.example/disk');
    bench.origin.serve('/disk.meta4', { content, status: { code: 503, times: 1 } });
    expect(await plan(`${bench.origin.url}/disk.meta4`)).toMatchObject({ isMetalink: true });
  });
});
