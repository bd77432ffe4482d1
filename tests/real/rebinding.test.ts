import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSourceClient } from '../../kvm/download/create-source-client.js';
import type { DownloadContext } from '../../kvm/download/download.js';
import { readSources } from '../../kvm/download/read-sources.js';
import { DownloadBench, MIB, randomContent, sha256 } from '../../kvm/download/test-support.js';
import type { DownloadResult } from '../../shared/images.js';
import { createAuthority, trusting } from '../support/certificate-authority.js';
import { ganeshaObstacle, startGanesha } from '../support/ganesha.js';
import { type NameServer, startNameServer } from '../support/name-server.js';
import { metalinkOf, readRange, realSettings } from '../support/real-sources.js';
import { describeUnless } from '../support/unless.js';

/** Stands for an address outside: it alone is allowed. */
const OUTSIDE = '127.0.0.2';
const INSIDE = '127.0.0.1';
const NAMES = ['rebind.example', 'second.example', 'third.example'] as const;
const [NAME, SECOND, THIRD] = NAMES;
const settings = realSettings({ allowedInternalCidrs: [`${OUTSIDE}/32`] });
const forbidden = { code: 'SLIPWAY_URL_FORBIDDEN' };

const image = randomContent(3 * MIB);
const digest = sha256(image);

/** Listens at an address, and keeps the connections that come. */
async function listen(server: Server, address: string, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket.on('error', () => undefined)));
  server.listen(port, address);
  await once(server, 'listening');
  return sockets;
}

let names: NameServer;
beforeAll(async () => {
  names = await startNameServer();
});
afterAll(() => names.stop());

describe.each(['http', 'https'] as const)('names that lead elsewhere the next time, over %s', (scheme) => {
  let bench: DownloadBench;
  let directory: string;
  let authorityPem: string;
  let servers: [Server, Server];
  let port: number;
  let outside: Socket[];
  let inside: Socket[];
  /** Answers of the servers by path, the same at both addresses. */
  let pages: Map<string, (response: ServerResponse) => void>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-rebinding-'));
    const authority = await createAuthority(directory);
    authorityPem = authority.certificatePem;
    const { certificate, key } = await authority.issue(
      'server',
      NAMES.map((name) => `DNS:${name}`),
    );
    const answer = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
      const page = pages.get(url);
      if (page) page(response);
      else response.writeHead(404).end();
    };
    const identity = { cert: await readFile(certificate), key: await readFile(key) };
    const create = (): Server => (scheme === 'http' ? createHttpServer(answer) : createHttpsServer(identity, answer));
    servers = [create(), create()];
    outside = await listen(servers[0], OUTSIDE, 0);
    port = (servers[0].address() as AddressInfo).port;
    inside = await listen(servers[1], INSIDE, port);
  });
  afterAll(async () => {
    for (const socket of [...outside, ...inside]) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    await rm(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    outside.length = 0;
    inside.length = 0;
    pages = new Map([['/disk', (response) => response.end(image)]]);
    for (const name of NAMES) names.script(name, [OUTSIDE]);
    bench = await DownloadBench.start();
  });
  afterEach(async () => {
    await bench.stop();
    // Whatever happened: nothing has ever led inside.
    expect(inside).toHaveLength(0);
  });

  const at = (name: string, path: string): string => `${scheme}://${name}:${port}${path}`;
  const context = (): Pick<DownloadContext, 'resolve' | 'trust'> => ({
    resolve: names.resolve,
    trust: trusting(authorityPem),
  });
  const download = (...sources: string[]): Promise<DownloadResult> =>
    bench.download({ sources, hasVouchedDigest: true, settings }, context());
  const redirect = (path: string, location: string): void => {
    pages.set(path, (response) => response.writeHead(302, { location }).end());
  };

  it('are asked for once for a connection, which leads to the address that was checked', async () => {
    names.script(NAME, [OUTSIDE], [INSIDE]);
    expect((await download(at(NAME, '/disk'))).digests[0]?.value).toBe(digest);
    expect(outside).toHaveLength(1);
    expect(names.questions(NAME)).toBe(1);
  });

  it('are checked again for the next connection', async () => {
    names.script(NAME, [OUTSIDE], [INSIDE]);
    pages.set('/disk', (response) => {
      response.writeHead(200, { 'content-length': image.length });
      response.write(image.subarray(0, MIB), () => response.destroy());
    });
    await expect(download(at(NAME, '/disk'))).rejects.toMatchObject({ details: [{ ...forbidden, bytes: MIB }] });
    expect(outside).toHaveLength(1);
    expect(names.questions(NAME)).toBe(2);
  });

  it.each([
    ['the wrong one first', [INSIDE, OUTSIDE]],
    ['the right one first', [OUTSIDE, INSIDE]],
  ])('with two addresses, %s, are reached at the right one', async (_order, addresses) => {
    names.script(NAME, addresses);
    expect((await download(at(NAME, '/disk'))).digests[0]?.value).toBe(digest);
    expect(outside).toHaveLength(1);
  });

  it('with two addresses are not reached at the wrong one when the right one is closed', async () => {
    // Nobody listens there.
    names.script(NAME, ['127.0.0.3', INSIDE]);
    const client = createSourceClient({
      settings: { ...settings, allowedInternalCidrs: ['127.0.0.3'] },
      ...context(),
    });
    await expect(readRange(client, at(NAME, '/disk'))).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_CONNECT' });
    client.close();
  });

  it('are refused at the first answer', async () => {
    names.script(NAME, [INSIDE]);
    await expect(download(at(NAME, '/disk'))).rejects.toMatchObject({ details: [{ ...forbidden, bytes: 0 }] });
    expect(outside).toHaveLength(0);
  });

  it('are checked at each hop of a redirect, to the same name too', async () => {
    redirect('/start', at(SECOND, '/hop'));
    redirect('/hop', at(THIRD, '/disk'));
    expect((await download(at(NAME, '/start'))).digests[0]?.value).toBe(digest);
    expect(NAMES.map((name) => names.questions(name))).toEqual([1, 1, 1]);
  });

  it.each([
    ['the second name', SECOND],
    ['the third name', THIRD],
  ])('are refused when %s of a redirect leads inside', async (_which, name) => {
    names.script(name, [INSIDE]);
    redirect('/start', at(SECOND, '/hop'));
    redirect('/hop', at(THIRD, '/disk'));
    await expect(download(at(NAME, '/start'))).rejects.toMatchObject({ details: [{ ...forbidden, bytes: 0 }] });
  });

  it('are refused when a redirect leads back to a name that leads inside by now', async () => {
    names.script(NAME, [OUTSIDE], [INSIDE]);
    redirect('/start', at(NAME, '/disk'));
    await expect(download(at(NAME, '/start'))).rejects.toMatchObject({ details: [{ ...forbidden, bytes: 0 }] });
    expect(outside).toHaveLength(1);
  });

  it('are refused for a place that a redirect led to before', async () => {
    names.script(SECOND, [OUTSIDE], [INSIDE]);
    redirect('/start', at(SECOND, '/disk'));
    const client = createSourceClient({ settings, ...context() });
    const { body, bytes } = await readRange(client, at(NAME, '/start'));
    expect(body.url.hostname).toBe(SECOND);
    expect(sha256(bytes)).toBe(digest);
    for (const socket of outside) socket.destroy();
    await expect(readRange(client, at(NAME, '/start'))).rejects.toMatchObject(forbidden);
    client.close();
  });

  it('are checked for a metalink and for each of its mirrors', async () => {
    const mirrors = NAMES.map((name) => at(name, '/disk'));
    pages.set('/disk.meta4', (response) => response.end(metalinkOf(image, MIB, mirrors)));
    names.script(NAME, [OUTSIDE], [INSIDE]);
    names.script(SECOND, [INSIDE]);
    const { signal } = new AbortController();
    const plan = await readSources(at(NAME, '/disk.meta4'), 'RAW', settings, { signal, ...context() });
    const result = await download(...(plan.tiers[0]?.urls ?? []));
    expect(result.digests[0]?.value).toBe(digest);
    expect(result.mirrors).toMatchObject([forbidden, forbidden, { outcome: 'used', bytes: image.length }]);
    const again = readSources(at(NAME, '/disk.meta4'), 'RAW', settings, { signal, ...context() });
    await expect(again).rejects.toMatchObject(forbidden);
  });
});

// A real NFS server, which takes root and what `scripts/setup --for-tests` installs.
describeUnless(ganeshaObstacle(), 'names of NFS servers that lead elsewhere the next time', () => {
  // The server is at 127.0.0.1, and whoever listens at 127.0.0.2 must not hear of it.
  const [right, wrong] = ['127.0.0.1', '127.0.0.2'];
  const nfsSettings = realSettings({ allowedInternalCidrs: [`${right}/32`] });

  it.each([3, 4] as const)('are asked for once, and checked again, in version %i', async (version) => {
    const nfs = await startGanesha();
    const decoys = [createTcpServer(), createTcpServer()];
    try {
      await writeFile(join(nfs.directory, 'disk'), image, { mode: 0o644 });
      const ports = [nfs.nfsPort, nfs.mountPort];
      const heard = await Promise.all(decoys.map((decoy, index) => listen(decoy, wrong, ports[index] as number)));
      const url = nfs.url('disk', version).replace(right, NAME);
      const read = async (): Promise<string> => {
        const client = createSourceClient({ settings: nfsSettings, resolve: names.resolve });
        try {
          return sha256((await readRange(client, url)).bytes);
        } finally {
          client.close();
        }
      };
      names.script(NAME, [right], [wrong, right], [wrong]);
      expect(await read()).toBe(digest);
      expect(names.questions(NAME)).toBe(1);
      expect(await read()).toBe(digest);
      expect(names.questions(NAME)).toBe(2);
      await expect(read()).rejects.toMatchObject(forbidden);
      expect(names.questions(NAME)).toBe(3);
      expect(heard.flat()).toHaveLength(0);
    } finally {
      await Promise.all(decoys.map((decoy) => new Promise((done) => decoy.close(done))));
      await nfs.stop();
    }
  });
});
