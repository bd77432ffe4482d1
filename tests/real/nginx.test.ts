import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpClient } from '../../kvm/download/http-client.js';
import { readSources } from '../../kvm/download/read-sources.js';
import type { SourceClient } from '../../kvm/download/source-client.js';
import { DownloadBench, MIB, randomContent, sha256 } from '../../kvm/download/test-support.js';
import { nginxObstacle, type NginxRequest, startNginx, type Nginx } from '../support/nginx.js';
import { trusting } from '../support/certificate-authority.js';
import { everythingIsHere, onceAfter, readRange, realSettings } from '../support/real-sources.js';
import { describeUnless } from '../support/unless.js';
import { waitFor } from '../support/wait-for.js';

const settings = realSettings();
const context = { signal: new AbortController().signal };

// A real server, which `scripts/setup --for-tests` installs.
describeUnless(nginxObstacle(), 'nginx', () => {
  const image = randomContent(3 * MIB + 7);
  const digest = sha256(image);
  let nginx: Nginx;
  let bench: DownloadBench;

  beforeAll(async () => {
    nginx = await startNginx();
    await nginx.put('disk', image);
  });
  afterAll(() => nginx?.stop());
  beforeEach(async () => {
    bench = await DownloadBench.start();
  });
  afterEach(() => bench.stop());

  const http = (path: string, host = '127.0.0.1'): string => `http://${host}:${nginx.port}${path}`;
  const https = (path: string, host = '127.0.0.1'): string => `https://${host}:${nginx.tlsPort}${path}`;
  const trust = () => ({ trust: trusting(nginx.authorityPem) });

  /** What nginx wrote down, once there are so many requests: it does so a moment after the last byte. */
  const requests = async (path: string, count: number): Promise<NginxRequest[]> => {
    await waitFor(`nginx has answered ${count} times for ${path}`, async () => {
      return (await nginx.requests(path)).length >= count;
    });
    return nginx.requests(path);
  };

  const withClient = async (
    act: (client: SourceClient) => Promise<void>,
    options: Partial<Parameters<typeof createHttpClient>[0]> = {},
  ): Promise<void> => {
    const client = createHttpClient({ settings, ...options });
    try {
      await act(client);
    } finally {
      client.close();
    }
  };

  describe.each(['TLSv1.2', 'TLSv1.3'])('with %s', (version) => {
    it.each(['127.0.0.1', '[::1]', 'mirror.example'])('gives a file at %s', async (host) => {
      await nginx.restart('', `ssl_protocols ${version};`);
      const result = await bench.download(
        { sources: [https('/disk', host)], settings },
        { ...trust(), resolve: everythingIsHere },
      );
      expect(result.digests[0]?.value).toBe(digest);
      const last = (await requests('/disk', 1)).at(-1);
      expect(last).toMatchObject({ protocol: version, host: `${host}:${nginx.tlsPort}` });
    });
  });

  it('is not trusted under a name that its certificate lacks, nor without its authority', async () => {
    await nginx.restart('', '');
    const resolve = everythingIsHere;
    const failure = { details: [{ code: 'SLIPWAY_SOURCE_TLS', bytes: 0 }] };
    const other = bench.download({ sources: [https('/disk', 'other.test')], settings }, { ...trust(), resolve });
    await expect(other).rejects.toMatchObject(failure);
    const unknown = bench.download({ sources: [https('/disk', 'mirror.example')], settings }, { resolve });
    await expect(unknown).rejects.toMatchObject(failure);
  });

  it.each(['127.0.0.1', '[::1]'])('gives a file at %s without TLS', async (host) => {
    await nginx.restart('', '');
    const result = await bench.download({ sources: [http('/disk', host)], settings });
    expect(result.digests[0]?.value).toBe(digest);
    expect((await requests('/disk', 1)).at(-1)).toMatchObject({ protocol: '', host: `${host}:${nginx.port}` });
  });

  it.each([
    ['http', () => http('/kept')],
    ['https', () => https('/kept')],
  ])('is asked over one connection of %s for as long as it keeps it', async (_scheme, url) => {
    await nginx.put('kept', image);
    await nginx.restart('', 'keepalive_requests 3;');
    const before = (await nginx.requests('/kept')).length;
    await withClient(async (client) => {
      for (let index = 0; index < 7; index++) {
        const range = { fromByte: index * MIB * 0.25, endByte: (index + 1) * MIB * 0.25 };
        const { bytes } = await readRange(client, url(), range);
        expect(bytes.equals(image.subarray(range.fromByte, range.endByte))).toBe(true);
      }
    }, trust());
    const used = (await requests('/kept', before + 7)).slice(before).map(({ connection }) => connection);
    expect(used.map((one) => [...new Set(used)].indexOf(one))).toEqual([0, 0, 0, 1, 1, 1, 2]);
  });

  it('is asked anew when it has closed an idle connection', async () => {
    await nginx.restart('', 'keepalive_timeout 1ms;');
    await withClient(async (client) => {
      for (const fromByte of [0, 10, 20]) {
        const { bytes } = await readRange(client, http('/disk'), { fromByte, endByte: fromByte + 10 });
        expect(bytes.equals(image.subarray(fromByte, fromByte + 10))).toBe(true);
      }
    });
  });

  it('that gives no ranges still gives its part, and the whole to one who asks for a part', async () => {
    await nginx.restart('location /whole { alias ' + nginx.directory + '/disk; max_ranges 0; limit_rate 4m; }', '');
    await withClient(async (client) => {
      const { body, bytes } = await readRange(client, http('/whole'), { fromByte: MIB, endByte: 2 * MIB });
      expect(body).toMatchObject({ fromByte: 0, totalBytes: image.length, hasRanges: false });
      expect(bytes.equals(image)).toBe(true);
    });
    const crash = onceAfter(MIB, () => nginx.restart());
    const result = await bench.download({ sources: [http('/whole')], settings }, { onProgress: crash.onProgress });
    await crash.done();
    expect(result.digests[0]?.value).toBe(digest);
  });

  it('does not compress what it would compress for others', async () => {
    await nginx.put('zeros', Buffer.alloc(MIB));
    await nginx.restart('', 'gzip on; gzip_types *; gzip_min_length 1; gzip_vary on;');
    const packed = await fetch(http('/zeros'), { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    await packed.body?.cancel();
    const result = await bench.download({ sources: [http('/zeros')], settings });
    expect(result).toMatchObject({ sizeBytes: MIB, digests: [{ value: sha256(Buffer.alloc(MIB)) }] });
  });

  describe('with a password', () => {
    beforeAll(async () => {
      await nginx.put('passwords', 'me:{PLAIN}p@sswörd\n');
      await nginx.restart(
        `location /private { alias ${nginx.directory}/disk; auth_basic x; auth_basic_user_file ${nginx.directory}/passwords; }`,
        '',
      );
    });
    const at = (userInfo: string): string => http('/private').replace('//', `//${userInfo}@`);

    it('gives a file to whom the URL has it', async () => {
      const result = await bench.download({ sources: [at('me:p%40ssw%C3%B6rd')], settings });
      expect(result.digests[0]?.value).toBe(digest);
    });

    it('gives a file to whom a header has it', async () => {
      const value = `Basic ${Buffer.from('me:p@sswörd').toString('base64')}`;
      const registered = { url: http('/'), headers: [['Authorization', value]] as [string, string][] };
      const result = await bench.download({ sources: [http('/private')], settings }, { registered });
      expect(result.digests[0]?.value).toBe(digest);
    });

    it('refuses others, and the refusal tells no secret', async () => {
      const error = await bench.download({ sources: [at('me:wrong')], settings }).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ details: [{ code: 'SLIPWAY_SOURCE_HTTP_4XX', bytes: 0 }] });
      expect(JSON.stringify(error) + String(error)).not.toContain('wrong');
    });
  });

  describe('that redirects', () => {
    const signedAt = (token: number, expired = 403): string => `
      location /start { return 302 /signed?token=${token}; }
      location /signed { if ($arg_token != ${token}) { return ${expired}; } alias ${nginx.directory}/disk; limit_rate 4m; }`;

    it.each([401, 403, 404, 410])('is asked once, and again when the target answers %i', async (expired) => {
      await nginx.restart(signedAt(1), '');
      const [starts, targets] = [(await nginx.requests('/start')).length, (await nginx.requests('/signed')).length];
      await withClient(async (client) => {
        const read = async (fromByte: number): Promise<void> => {
          const { bytes } = await readRange(client, http('/start'), { fromByte, endByte: fromByte + 1000 });
          expect(bytes.equals(image.subarray(fromByte, fromByte + 1000))).toBe(true);
        };
        for (const fromByte of [0, 1000, 2000]) await read(fromByte);
        expect(await requests('/start', starts + 1)).toHaveLength(starts + 1);
        await requests('/signed', targets + 3);
        await nginx.restart(signedAt(2, expired));
        for (const fromByte of [3000, 4000]) await read(fromByte);
      });
      expect(await requests('/start', starts + 2)).toHaveLength(starts + 2);
      const statuses = (await requests('/signed', targets + 6)).slice(targets).map(({ status }) => status);
      expect(statuses).toEqual([206, 206, 206, expired, 206, 206]);
    });

    it('to a place that expires in the middle is resumed at the next', async () => {
      await nginx.restart(signedAt(1), '');
      const expire = onceAfter(MIB, () => nginx.restart(signedAt(2)));
      const result = await bench.download({ sources: [http('/start')], settings }, { onProgress: expire.onProgress });
      await expire.done();
      expect(result.digests[0]?.value).toBe(digest);
      const last = (await requests('/signed', 3)).at(-1);
      expect(last).toMatchObject({ status: 206, target: '/signed?token=2' });
      expect(last?.bytes).toBeLessThanOrEqual(image.length - MIB);
    });

    it('to a server that is gone is asked for another', async () => {
      const startAt = (target: string): string => `location /start { return 302 ${target}; }`;
      const gone = await startNginx();
      try {
        await gone.put('disk', image);
        await nginx.restart(startAt(`http://127.0.0.1:${gone.port}/disk`), '');
        await withClient(async (client) => {
          await readRange(client, http('/start'), { fromByte: 0, endByte: 10 });
          await gone.kill();
          await nginx.restart(startAt(http('/disk')));
          // The caller tries again after a failure.
          await readRange(client, http('/start'), { fromByte: 10, endByte: 20 }).catch(() => undefined);
          const { bytes } = await readRange(client, http('/start'), { fromByte: 10, endByte: 20 });
          expect(bytes.equals(image.subarray(10, 20))).toBe(true);
        });
      } finally {
        await gone.stop();
      }
    });
  });

  it('with signed URLs gets each character of the query, and is never asked by HEAD', async () => {
    const query = 'X-Signature=a%2Fb%2Bc%3D&Expires=1&path=%20+~&empty=&flag';
    await nginx.restart(
      `location /presigned {
        if ($request_method != GET) { return 403; }
        if ($args != '${query}') { return 403; }
        alias ${nginx.directory}/disk;
        limit_rate 4m;
      }`,
      '',
    );
    const url = http(`/presigned?${query}`);
    const plan = await readSources(url, 'RAW', settings, context);
    expect(plan.tiers).toEqual([{ priority: 1, urls: [url] }]);
    const crash = onceAfter(MIB, () => nginx.restart());
    const result = await bench.download({ sources: [url], settings }, { onProgress: crash.onProgress });
    await crash.done();
    expect(result.digests[0]?.value).toBe(digest);
    expect((await requests('/presigned', 2)).map(({ method }) => method)).not.toContain('HEAD');
    await withClient(async (client) => {
      const wrong = readRange(client, http('/presigned?X-Signature=wrong'));
      await expect(wrong).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_HTTP_4XX' });
    });
  });

  describe('that names mirrors in its headers', () => {
    const base64 = (algorithm: string): string => createHash(algorithm).update(image).digest('base64');
    const linksAt = (headers: string): string => `location /linked {
      alias ${nginx.directory}/disk;
      add_header Link '<${http('/disk', '[::1]')}>; rel=duplicate; pri=1; geo=de';
      add_header Link '<${https('/disk')}>; rel=duplicate; pri=1, </other>; rel=next';
      ${headers}
    }`;

    it.each([
      ['Digest', () => `SHA-256=${base64('sha256')}, MD5=${base64('md5')}`],
      ['Repr-Digest', () => `sha-256=:${base64('sha256')}:`],
    ])('and a %s is one of them', async (name, value) => {
      await nginx.restart(linksAt(`add_header ${name} '${value()}';`), '');
      const plan = await readSources(http('/linked'), 'RAW', settings, context);
      expect(plan.digests).toContainEqual({ algorithm: 'SHA-256', value: digest });
      const [tier] = plan.tiers;
      expect(new Set(tier?.urls)).toEqual(new Set([http('/disk', '[::1]'), https('/disk'), http('/linked')]));
      const sources = tier?.urls ?? [];
      const result = await bench.download({ sources, hasVouchedDigest: true, settings }, trust());
      expect(result.digests[0]?.value).toBe(digest);
      expect(result.mirrors.map(({ outcome }) => outcome)).not.toContain('failed');
    });

    it('and no hash is alone', async () => {
      await nginx.restart(linksAt(''), '');
      const plan = await readSources(http('/linked'), 'RAW', settings, context);
      expect(plan).toMatchObject({ digests: [], tiers: [{ urls: [http('/linked')] }] });
      expect(plan.dropped.map(({ why }) => why)).toEqual(['the server gives no hash', 'the server gives no hash']);
    });
  });

  it.each([
    ['its suffix', 'disk.meta4', '/disk.meta4'],
    ['its type', 'disk.meta4', '/describe?of=disk'],
    ['its suffix whatever its type', 'disk.metalink', '/disk.metalink'],
  ])('gives a metalink known by %s', async (_what, file, path) => {
    const document = `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="disk.raw">
      <size>${image.length}</size><hash type="sha-256">${digest}</hash><url>disk</url></file></metalink>`;
    await nginx.put(file, document);
    await nginx.restart(
      `location /describe { alias ${nginx.directory}/disk.meta4; types { } default_type 'application/metalink4+xml; charset=utf-8'; }`,
      '',
    );
    const plan = await readSources(http(path), 'RAW', settings, context);
    // A URL that has no scheme starts where the document is.
    expect(plan).toMatchObject({ isMetalink: true, sizeBytes: image.length, tiers: [{ urls: [http('/disk')] }] });
  });

  describe('before a server that does not know lengths', () => {
    let behind: Server;
    beforeAll(async () => {
      behind = createServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'application/octet-stream' });
        for (let at = 0; at < image.length; at += 100_000) response.write(image.subarray(at, at + 100_000));
        response.end();
      });
      await new Promise<void>((done) => behind.listen(0, '127.0.0.1', done));
    });
    afterAll(() => new Promise((done) => behind.close(done)));

    it.each([
      ['http', () => http('/behind')],
      ['https', () => https('/behind')],
    ])('gives a file in chunks over %s', async (_scheme, url) => {
      const { port } = behind.address() as AddressInfo;
      const pass = `proxy_pass http://127.0.0.1:${port}; proxy_http_version 1.1; proxy_buffering off;`;
      await nginx.restart(`location /behind { ${pass} }`, '');
      const answer = await fetch(http('/behind'));
      expect(answer.headers.get('transfer-encoding')).toBe('chunked');
      await answer.arrayBuffer();
      const result = await bench.download({ sources: [url()], settings }, trust());
      expect(result).toMatchObject({ sizeBytes: image.length, digests: [{ value: digest }] });
    });
  });

  it.each([
    ['http', () => http('/slow')],
    ['https', () => https('/slow')],
  ])('that is killed and comes back is resumed over %s', async (_scheme, url) => {
    await nginx.restart(`location /slow { alias ${nginx.directory}/disk; limit_rate 4m; }`, '');
    const before = (await nginx.requests('/slow')).length;
    const crash = onceAfter(MIB, () => nginx.restart());
    const result = await bench.download({ sources: [url()], settings }, { ...trust(), onProgress: crash.onProgress });
    await crash.done();
    expect(result.digests[0]?.value).toBe(digest);
    // The one that was killed was not written down.
    const [resumed, ...more] = (await requests('/slow', before + 1)).slice(before);
    expect(more).toEqual([]);
    expect(resumed?.status).toBe(206);
    expect(resumed?.bytes).toBeLessThanOrEqual(image.length - MIB);
  });

  it.each([[false], [true]])('that gets another file in the middle gives that one (vouched: %s)', async (isVouched) => {
    const [old, present] = [randomContent(image.length), randomContent(image.length)];
    await nginx.put('changing', old);
    await nginx.restart(`location /changing { alias ${nginx.directory}/changing; limit_rate 4m; }`, '');
    const change = onceAfter(MIB, async () => {
      await nginx.kill();
      await nginx.put('changing', Buffer.concat([present, Buffer.from('!')]));
      await nginx.restart();
    });
    const request = { sources: [http('/changing')], hasVouchedDigest: isVouched, settings };
    const result = await bench.download(request, { onProgress: change.onProgress });
    await change.done();
    expect(result.digests[0]?.value).toBe(sha256(Buffer.concat([present, Buffer.from('!')])));
    expect(result.sizeBytes).toBe(image.length + 1);
  });
});
