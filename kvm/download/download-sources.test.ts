import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type LookupFunction } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MirrorReport } from '../../shared/images.js';
import { trusting } from '../../tests/support/certificate-authority.js';
import { DownloadBench, MIB, randomContent, sha256, testSettings } from './test-support.js';

const run = promisify(execFile);

let bench: DownloadBench;
beforeEach(async () => {
  bench = await DownloadBench.start();
});
afterEach(() => bench.stop());

/** The one report of a download from one source that failed. */
async function failureOf(download: Promise<unknown>): Promise<MirrorReport> {
  const error: unknown = await download.then(
    () => new Error('The download succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: 'SLIPWAY_SOURCES_EXHAUSTED' });
  const [report] = (error as { details: MirrorReport[] }).details;
  return report as MirrorReport;
}

describe('mirrors', () => {
  const both = (): string[] => [`${bench.origin.url}/disk`, `${bench.mirror.url}/disk`];

  it('of one file give it together: what one leaves undone the other brings', async () => {
    const content = randomContent(3 * MIB);
    bench.origin.serve('/disk', { content, dropAfterBytes: { bytes: MIB }, status: { code: 410, skip: 1 } });
    bench.mirror.serve('/disk', { content, etag: '"another"' });
    const result = await bench.download({ sources: both(), hasVouchedDigest: true });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.mirrors[0]).toMatchObject({ url: `${bench.origin.url}/disk`, bytes: MIB });
    expect(result.mirrors[1]).toEqual({ url: `${bench.mirror.url}/disk`, outcome: 'used', bytes: 2 * MIB });
  });

  it('are not mixed when nothing vouches for the bytes', async () => {
    const content = randomContent(3 * MIB);
    bench.origin.serve('/disk', { content, dropAfterBytes: { bytes: MIB }, status: { code: 410, skip: 1 } });
    bench.mirror.serve('/disk', { content, etag: '"another"' });
    const result = await bench.download({ sources: both() });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.mirrors).toEqual([
      {
        url: `${bench.origin.url}/disk`,
        outcome: 'failed',
        bytes: MIB,
        code: 'SLIPWAY_SOURCE_HTTP_4XX',
        reason: `${bench.origin.url}/disk: the server answered 410`,
      },
      { url: `${bench.mirror.url}/disk`, outcome: 'used', bytes: 3 * MIB },
    ]);
  });

  it('with a login page in place of the file cost no byte of the others', async () => {
    const content = randomContent(3 * MIB);
    bench.origin.serve('/disk', { content, dropAfterBytes: { bytes: MIB }, status: { code: 404, skip: 1 } });
    bench.mirror.serve('/page', { content: '<html>Sign in</html>', contentType: 'text/html', isIgnoringRange: true });
    bench.mirror.serve('/disk', { content });
    const sources = [`${bench.origin.url}/disk`, `${bench.mirror.url}/page`, `${bench.mirror.url}/disk`];
    const result = await bench.download({ sources, hasVouchedDigest: true });
    expect(result.digests[0]?.value).toBe(sha256(content));
    expect(result.mirrors[1]).toMatchObject({ outcome: 'failed', code: 'SLIPWAY_SOURCE_SIZE' });
    expect(bench.mirror.statistics('/disk').bytes).toBe(2 * MIB);
  });

  describe.each([
    ['with a length', {}],
    ['without a length', { announcedBytes: null }],
  ])('of which one has a page %s', (_what, length) => {
    it.each([
      ['that comes first', []],
      ['in the middle', ['/breaks-off']],
    ])('%s, give the file', async (_where, before) => {
      const content = randomContent(3 * MIB);
      bench.origin.serve('/breaks-off', {
        content,
        dropAfterBytes: { bytes: MIB },
        status: { code: 404, skip: 1 },
      });
      bench.origin.serve('/page', { content: '<html>Sign in</html>', isIgnoringRange: true, ...length });
      bench.mirror.serve('/disk', { content });
      const paths = [...before, '/page'].map((path) => bench.origin.url + path);
      const result = await bench.download({
        sources: [...paths, `${bench.mirror.url}/disk`],
        expectedSizeBytes: content.length,
        hasVouchedDigest: true,
      });
      expect(result.digests[0]?.value).toBe(sha256(content));
    });
  });

  it('that all fail are all named, without the secrets of their URLs', async () => {
    const closed = createTcpServer();
    await new Promise<void>((done) => closed.listen(0, '127.0.0.1', done));
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    const sources = [
      `http://me:secret@127.0.0.1:${bench.origin.port}/disk?secret`,
      `http://127.0.0.1:${port}/disk?secret`,
      'ftp://secret@a.example/disk?secret',
    ];
    const error: unknown = await bench.download({ sources }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'SLIPWAY_SOURCES_EXHAUSTED',
      message: [
        'No source could be read',
        `http://127.0.0.1:${bench.origin.port}/disk: the server answered 404`,
        `http://127.0.0.1:${port}/disk: the connection was refused`,
        'ftp://a.example/disk is neither http nor https',
      ].join('\n'),
    });
    expect(JSON.stringify(error)).not.toContain('secret');
  });
});

describe('a server', () => {
  it('that is busy is asked again when it says so', async () => {
    bench.origin.serve('/disk', { content: 'x', status: { code: 429, headers: { 'retry-after': '1' }, times: 1 } });
    const startedMs = Date.now();
    expect(await bench.download()).toMatchObject({ sizeBytes: 1 });
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(990);
    expect(bench.origin.statistics('/disk').requests).toBe(2);
  });

  it('that stays broken is asked three times', async () => {
    bench.origin.serve('/disk', { content: 'x', status: { code: 503 } });
    expect(await failureOf(bench.download())).toMatchObject({ code: 'SLIPWAY_SOURCE_HTTP_5XX' });
    expect(bench.origin.statistics('/disk').requests).toBe(3);
  });

  it('that falls silent is left', async () => {
    bench.origin.serve('/disk', { content: randomContent(MIB), dropAfterBytes: { bytes: 0, isSilent: true } });
    expect(await failureOf(bench.download())).toMatchObject({ code: 'SLIPWAY_SOURCE_TIMEOUT' });
  });

  it.each([
    ['announces another size than the metalink', { announcedBytes: undefined }, 4 * MIB, 0],
    ['sends more than the metalink says, without announcing', { announcedBytes: null }, MIB, 3 * MIB],
    ['sends less than the metalink says, without announcing', { announcedBytes: null }, 5 * MIB, 5 * MIB],
  ])('that %s is left at once', async (_what, lie, expectedSizeBytes, mostBytes) => {
    bench.origin.serve('/disk', { content: randomContent(4 * MIB + 1), bytesPerSecond: 20 * MIB, ...lie });
    const report = await failureOf(bench.download({ expectedSizeBytes }));
    expect(report).toMatchObject({ code: 'SLIPWAY_SOURCE_SIZE' });
    expect(report.bytes).toBeLessThanOrEqual(mostBytes);
    expect(bench.origin.statistics('/disk').requests).toBe(1);
  });

  it.each([
    ['announced', undefined],
    ['not announced', null],
  ])('whose file is too large, %s, ends the download', async (_what, announcedBytes) => {
    bench.origin.serve('/disk', {
      content: randomContent(2 * MIB),
      ...(announcedBytes === null ? { announcedBytes } : {}),
    });
    const settings = testSettings({ maxSizeBytes: MIB });
    await expect(bench.download({ settings })).rejects.toMatchObject({ code: 'SLIPWAY_TEMPLATE_TOO_LARGE' });
  });
});

describe('redirects', () => {
  const redirect = (target: string) => ({ content: '', status: { code: 302, headers: { location: target } } });

  it('are followed where the setting says so, and the file is resumed behind them', async () => {
    const content = randomContent(2 * MIB);
    bench.origin.serve('/disk', redirect(`${bench.mirror.url}/real`));
    bench.mirror.serve('/real', { content, dropAfterBytes: { bytes: MIB, times: 1 } });
    expect((await bench.download()).digests[0]?.value).toBe(sha256(content));
    expect(bench.mirror.statistics('/real').bytes).toBe(2 * MIB);
  });

  it.each([
    ['when they are not to be followed', '/other', false, 'SLIPWAY_SOURCE_REDIRECT'],
    ['in a circle', '/disk', true, 'SLIPWAY_SOURCE_REDIRECT'],
    ['to a metadata service', 'http://169.254.169.254/latest/meta-data/', true, 'SLIPWAY_URL_FORBIDDEN'],
    ['to loopback that is not allowed', 'http://[::1]:9/', true, 'SLIPWAY_URL_FORBIDDEN'],
    ['to a file', 'file:///etc/passwd', true, 'SLIPWAY_URL_INVALID'],
    ['to no URL', 'http://[', true, 'SLIPWAY_SOURCE_REDIRECT'],
  ])('fail %s', async (_what, location, followRedirects, code) => {
    bench.origin.serve('/disk', redirect(location));
    expect(await failureOf(bench.download({ settings: testSettings({ followRedirects }) }))).toMatchObject({ code });
  });

  it('do not carry the credentials to another origin', async () => {
    bench.origin.serve('/disk', redirect('/same'));
    bench.origin.serve('/same', redirect(`${bench.mirror.url}/real`));
    bench.mirror.serve('/real', { content: 'x' });
    await bench.download({ sources: [`http://me:p%40ss@127.0.0.1:${bench.origin.port}/disk`] });
    const authorization = `Basic ${Buffer.from('me:p@ss').toString('base64')}`;
    expect(bench.origin.statistics('/disk').authorizations).toEqual([authorization]);
    expect(bench.origin.statistics('/same').authorizations).toEqual([authorization]);
    expect(bench.mirror.statistics('/real')).toMatchObject({ requests: 1, authorizations: [] });
  });
});

describe('names', () => {
  const answering = (...addresses: string[]): LookupFunction => {
    const queue = [...addresses];
    return (_hostname, _options, callback) => callback(null, [{ address: queue.shift() ?? '', family: 4 }]);
  };

  it('that lead inside are not connected to', async () => {
    bench.origin.serve('/disk', { content: 'x' });
    const sources = [`http://mirror.example:${bench.origin.port}/disk`];
    const settings = testSettings({ allowedInternalCidrs: [] });
    const report = await failureOf(bench.download({ sources, settings }, { resolve: answering('127.0.0.1') }));
    expect(report).toMatchObject({ code: 'SLIPWAY_URL_FORBIDDEN' });
    expect(bench.origin.statistics('/disk').requests).toBe(0);
  });

  it('that lead inside at the second answer are not connected to either', async () => {
    bench.origin.serve('/disk', { content: randomContent(2 * MIB), dropAfterBytes: { bytes: MIB } });
    const sources = [`http://mirror.example:${bench.origin.port}/disk`];
    const settings = testSettings({ allowedInternalCidrs: ['127.0.0.1'] });
    const resolve = answering('127.0.0.1', '127.0.0.2');
    const report = await failureOf(bench.download({ sources, settings }, { resolve }));
    expect(report).toMatchObject({ code: 'SLIPWAY_URL_FORBIDDEN', bytes: MIB });
    expect(bench.origin.statistics('/disk').requests).toBe(1);
  });
});

describe('certificates', () => {
  let close: () => Promise<unknown>;
  let certificate: string;
  let port: number;

  beforeEach(async () => {
    const key = join(bench.directory, 'key.pem');
    const cert = join(bench.directory, 'cert.pem');
    const subject = ['-subj', '/CN=mirror.example', '-addext', 'subjectAltName=DNS:mirror.example'];
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    await run('openssl', ['req', '-x509', ...newKey, '-keyout', key, '-out', cert, '-days', '2', ...subject]);
    certificate = await readFile(cert, 'utf8');
    const server = createServer({ key: await readFile(key), cert: certificate }, (_request, response) => {
      response.end('over TLS');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    port = (server.address() as AddressInfo).port;
    close = () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      });
  });
  afterEach(() => close());

  const resolve: LookupFunction = (_hostname, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }]);

  it.each([
    ['not trusted', 'mirror.example', false],
    ['of another host', 'other.example', true],
  ])('that are %s are refused', async (_what, host, isTrusted) => {
    const trusted = isTrusted ? { trust: trusting(certificate) } : {};
    const report = await failureOf(
      bench.download({ sources: [`https://${host}:${port}/disk`] }, { resolve, ...trusted }),
    );
    expect(report).toMatchObject({ code: 'SLIPWAY_SOURCE_TLS' });
  });

  it('that were uploaded are trusted for their host', async () => {
    const sources = [`https://mirror.example:${port}/disk`];
    const result = await bench.download({ sources }, { resolve, trust: trusting(certificate) });
    expect(result.digests[0]?.value).toBe(sha256(Buffer.from('over TLS')));
  });
});
