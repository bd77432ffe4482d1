import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSourceClient } from '../../kvm/download/create-source-client.js';
import type { DownloadContext } from '../../kvm/download/download.js';
import type { SourceClientOptions } from '../../kvm/download/http-client.js';
import { readSources } from '../../kvm/download/read-sources.js';
import { DownloadBench, MIB, randomContent, sha256 } from '../../kvm/download/test-support.js';
import type { DownloadResult } from '../../shared/images.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import { type ForwardProxy, startForwardProxy } from '../support/forward-proxy.js';
import { ganeshaObstacle, startGanesha } from '../support/ganesha.js';
import { nginxObstacle, startNginx, type Nginx } from '../support/nginx.js';
import { trusting } from '../support/certificate-authority.js';
import { onceAfter, readRange, realSettings } from '../support/real-sources.js';
import { describeUnless, itUnless } from '../support/unless.js';
import { waitFor } from '../support/wait-for.js';

const CREDENTIALS = 'me:p@ss';
const TOKEN = 'Bearer only-for-the-origin';
/** Known to the proxy alone. */
const HIDDEN = 'hidden.example';

type Options = Partial<DownloadContext> & { settings?: DownloadSettings };

// Real servers, which `scripts/setup --for-tests` installs; NFS takes root as well.
describeUnless(nginxObstacle(), 'through a proxy', () => {
  const image = randomContent(3 * MIB + 7);
  const digest = sha256(image);
  let nginx: Nginx;
  let proxy: ForwardProxy;
  let bench: DownloadBench;

  beforeAll(async () => {
    nginx = await startNginx();
    await nginx.put('disk', image);
    await nginx.restart(
      `location /slow { alias ${nginx.directory}/disk; limit_rate 2m; }
       location /private { alias ${nginx.directory}/disk; if ($http_authorization != '${TOKEN}') { return 403; } }
       location /away { return 302 $arg_to; }`,
    );
  });
  afterAll(() => nginx?.stop());
  beforeEach(async () => {
    bench = await DownloadBench.start();
    proxy = await startForwardProxy({ names: { [HIDDEN]: '127.0.0.1', localhost: '127.0.0.1' } });
  });
  afterEach(async () => {
    await bench.stop();
    await proxy.stop();
  });

  const http = (path: string, host = HIDDEN): string => `http://${host}:${nginx.port}${path}`;
  const https = (path: string, host = HIDDEN): string => `https://${host}:${nginx.tlsPort}${path}`;
  const download = (url: string, { settings = realSettings(), ...context }: Options = {}): Promise<DownloadResult> =>
    bench.download({ sources: [url], settings }, { proxy: proxy.url, trust: trusting(nginx.authorityPem), ...context });

  it.each([
    ['http', () => http('/disk'), 'GET', () => http('/disk')],
    ['https', () => https('/disk'), 'CONNECT', () => `${HIDDEN}:${nginx.tlsPort}`],
    ['http at an IPv6 address', () => http('/disk', '[::1]'), 'GET', () => http('/disk', '[::1]')],
    ['https at an IPv6 address', () => https('/disk', '[::1]'), 'CONNECT', () => `[::1]:${nginx.tlsPort}`],
  ])('a file comes over %s, its name resolved there', async (_what, url, method, target) => {
    const resolve = (): never => {
      throw new Error('The name was resolved here');
    };
    expect((await download(url(), { resolve })).digests[0]?.value).toBe(digest);
    expect(proxy.requests).toMatchObject([{ method, target: target(), headers: { host: new URL(url()).host } }]);
    await waitFor('no connection to the proxy is left', async () => (await proxy.connections()) === 0, 5_000);
  });

  it.each([
    ['http', () => http('/disk')],
    ['https', () => https('/disk')],
  ])('parts of a file come over one connection of %s, to a slow disk too', async (scheme, url) => {
    const client = createSourceClient({
      settings: realSettings(),
      proxy: proxy.url,
      trust: trusting(nginx.authorityPem),
    });
    for (const fromByte of [0, MIB, 2 * MIB + 3]) {
      const chunks: Buffer[] = [];
      const body = await client.open(url(), new AbortController().signal, { fromByte, endByte: fromByte + MIB });
      await body.pump({
        write: (chunk) => chunks.push(Buffer.from(chunk)) % 3 !== 0,
        whenWritable: () => sleep(1),
      });
      expect(Buffer.concat(chunks).equals(image.subarray(fromByte, fromByte + MIB))).toBe(true);
    }
    expect(proxy.requests).toHaveLength(scheme === 'https' ? 1 : 3);
    expect(await proxy.connections()).toBe(1);
    client.close();
    await waitFor('no connection to the proxy is left', async () => (await proxy.connections()) === 0, 5_000);
  });

  it.each(['http', 'https'])('a connection over %s that is still being made ends with its client', async (scheme) => {
    const held: Socket[] = [];
    const silent = createServer((socket) => held.push(socket.on('error', () => undefined)));
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const { port } = silent.address() as AddressInfo;
    const client = createSourceClient({ settings: realSettings(), proxy: new URL(`http://127.0.0.1:${port}`) });
    const reading = readRange(client, `${scheme}://${HIDDEN}/disk`);
    await waitFor('the proxy is asked', async () => held.length > 0, 5_000);
    client.close();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    held[0]?.resume();
    await waitFor('the connection has ended', async () => held[0]?.readableEnded === true, 5_000);
    silent.close();
    held[0]?.destroy();
  });

  it.each([
    ['http', () => http('/slow')],
    ['https', () => https('/slow')],
  ])('a transfer that broke off over %s is resumed', async (_scheme, url) => {
    const crash = onceAfter(MIB, () => nginx.restart());
    const result = await download(url(), { onProgress: crash.onProgress });
    await crash.done();
    expect(result.digests[0]?.value).toBe(digest);
    expect(proxy.requests.length).toBeGreaterThan(1);
  });

  it.each([
    ['http', () => http('/disk')],
    ['https', () => https('/disk')],
  ])('that asks for a password, over %s', async (_scheme, url) => {
    await proxy.stop();
    proxy = await startForwardProxy({ names: { [HIDDEN]: '127.0.0.1' }, credentials: CREDENTIALS });
    const known = new URL(proxy.url);
    [known.username, known.password] = ['me', 'p@ss'];
    expect((await download(url(), { proxy: known })).digests[0]?.value).toBe(digest);
    const sent = await nginx.requests('/disk');
    expect(JSON.stringify(sent)).not.toContain(Buffer.from(CREDENTIALS).toString('base64'));
  });

  describe.each([
    ['http', (path: string) => http(path)],
    ['https', (path: string) => https(path)],
  ])('that does not do its work, over %s', (scheme, url) => {
    const failure = async (context: Partial<SourceClientOptions>): Promise<unknown> => {
      const client = createSourceClient({ settings: realSettings(), proxy: proxy.url, ...context });
      const error = await readRange(client, url('/disk')).catch((reason: unknown) => reason);
      client.close();
      expect(JSON.stringify(error) + String(error)).not.toMatch(/p@ss|p%40ss|wrong/);
      return error;
    };
    const blamed = (message: RegExp) => ({
      code: 'SLIPWAY_SOURCE_PROXY',
      message: expect.stringMatching(message),
    });

    it('wants another password', async () => {
      await proxy.stop();
      proxy = await startForwardProxy({ credentials: CREDENTIALS });
      const known = new URL(proxy.url);
      [known.username, known.password] = ['me', 'wrong'];
      expect(await failure({ proxy: known })).toMatchObject(
        blamed(/^https?:.*\/disk: the proxy [\d.:]+ answered 407$/),
      );
      // A password that is no percent-encoded text is still a password.
      known.href = known.href.replace('wrong', '%wrong%');
      expect(await failure({ proxy: known })).toMatchObject(blamed(/answered 407$/));
    });

    it('is not there', async () => {
      await proxy.stop();
      expect(await failure({})).toMatchObject(blamed(/the proxy [\d.:]+ cannot be reached$/));
      const nowhere = new URL('http://me:p%40ss@proxy.invalid:3128');
      const error = await failure({ proxy: nowhere });
      expect(error).toMatchObject(blamed(/the proxy proxy\.invalid:3128 cannot be reached$/));
    });

    it.each([
      ['nonsense', 'SSH-2.0-OpenSSH_9.2\r\n\r\n', blamed(/answered (with )?nonsense$/)],
      [
        'nothing, for too long',
        '',
        scheme === 'https' ? blamed(/gave no connection in time$/) : { code: 'SLIPWAY_SOURCE_TIMEOUT' },
      ],
    ])('answers %s', async (_what, answer, expected) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.write(answer));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      const settings = realSettings({ connectTimeoutMs: 200, socketTimeoutMs: 200 });
      const error = await failure({ proxy: new URL(`http://127.0.0.1:${port}`), settings });
      server.close();
      expect(error).toMatchObject(expected);
    });

    it('does not know the name', async () => {
      await proxy.stop();
      proxy = await startForwardProxy();
      // Without a tunnel nobody can tell whether the proxy says so or the server.
      const expected = scheme === 'https' ? blamed(/answered 502$/) : { code: 'SLIPWAY_SOURCE_HTTP_5XX' };
      expect(await failure({})).toMatchObject(expected);
    });
  });

  it('a server has to prove who it is', async () => {
    await expect(download(https('/disk'), { trust: undefined })).rejects.toMatchObject({
      details: [{ code: 'SLIPWAY_SOURCE_TLS' }],
    });
  });

  describe('forbidden places are not asked for', () => {
    const settings = realSettings({ allowedInternalCidrs: [] });
    const places = [
      'http://127.0.0.1/disk',
      'https://127.0.0.1/disk',
      'http://[::1]/disk',
      'http://[::ffff:169.254.169.254]/latest',
      'http://0x7f.1/disk',
      'http://169.254.169.254/latest',
      'http://localhost/disk',
      'https://LOCALHOST./disk',
      'http://a.localhost/disk',
    ];

    it.each(places)('%s', async (url) => {
      await expect(download(url, { settings })).rejects.toMatchObject({ details: [{ code: 'SLIPWAY_URL_FORBIDDEN' }] });
      expect(proxy.requests).toEqual([]);
    });

    it.each(places)('%s, by a redirect', async (url) => {
      const start = http(`/away?to=${url}`);
      await expect(download(start, { settings })).rejects.toMatchObject({
        details: [{ code: 'SLIPWAY_URL_FORBIDDEN' }],
      });
      expect(proxy.requests).toHaveLength(1);
    });
  });

  it.each([
    ['http', () => http('/private')],
    ['https', () => https('/private')],
  ])('the headers of a template reach its origin over %s, and no CONNECT has them', async (_scheme, url) => {
    const registered = { url: url(), headers: [['Authorization', TOKEN]] as [string, string][] };
    expect((await download(url(), { registered })).digests[0]?.value).toBe(digest);
    const [asked] = proxy.requests;
    if (asked?.method === 'CONNECT') expect(Object.keys(asked.headers)).toEqual(['host']);
    else expect(asked?.headers.authorization).toBe(TOKEN);
  });

  it('a metalink and its mirrors come, too', async () => {
    await nginx.put(
      'disk.meta4',
      `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="disk.raw"><size>${image.length}</size>
      <hash type="sha-256">${digest}</hash><url>${http('/disk')}</url><url>${https('/disk')}</url></file></metalink>`,
    );
    const settings = realSettings();
    const { signal } = new AbortController();
    const plan = await readSources(http('/disk.meta4'), 'RAW', settings, { signal, proxy: proxy.url });
    const sources = plan.tiers.flatMap(({ urls }) => urls);
    const result = await bench.download(
      { sources, hasVouchedDigest: true, settings },
      { proxy: proxy.url, trust: trusting(nginx.authorityPem) },
    );
    expect(result.digests[0]?.value).toBe(digest);
    expect(new Set(proxy.requests.map(({ target }) => target))).toContain(http('/disk.meta4'));
  });

  itUnless(ganeshaObstacle(), 'an NFS server is reached without it', async () => {
    const nfs = await startGanesha();
    try {
      await writeFile(join(nfs.directory, 'disk'), image, { mode: 0o644 });
      expect((await download(nfs.url('disk'))).digests[0]?.value).toBe(digest);
      expect(proxy.requests).toEqual([]);
    } finally {
      await nfs.stop();
    }
  });
});
