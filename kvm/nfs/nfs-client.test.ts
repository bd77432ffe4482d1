import { createServer, type AddressInfo, type LookupFunction, type Server, type Socket } from 'node:net';
import type { SourceClient } from '../download/source-client.js';
import { createNfsClient, type NfsClientOptions } from './nfs-client.js';
import { testSettings, watchedSpawn } from './test-support.js';

/** What becomes of connections that lead to no NFS server. The servers themselves are in nfs-server.test.ts. */

const clients: SourceClient[] = [];
const servers: { server: Server; sockets: Set<Socket> }[] = [];
const never = new AbortController().signal;

function client(options: Partial<NfsClientOptions> = {}): SourceClient {
  const made = createNfsClient({ settings: testSettings(), ...options });
  clients.push(made);
  return made;
}

async function listen(onConnection: (socket: Socket) => void, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  for (const made of clients.splice(0)) made.close();
  for (const { server, sockets } of servers.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('a server that is none', () => {
  it.each([3, 4])('is refused when nothing listens (version %i)', async (version) => {
    await expect(
      client().open(`nfs://127.0.0.1:1/export/disk?version=${version}&mountport=1`, never),
    ).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCE_CONNECT',
      message: expect.stringMatching(/^nfs:\/\/127\.0\.0\.1:1\/export\/disk: .*refused/),
    });
  });

  it('is given up when it says nothing', async () => {
    const port = await listen(() => undefined);
    const settings = testSettings({ connectTimeoutMs: 500 });
    const { spawn, haveEnded } = watchedSpawn();
    await expect(client({ settings, spawn }).open(`nfs://127.0.0.1:${port}/disk`, never)).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCE_TIMEOUT',
    });
    await haveEnded();
  });

  it('is not believed when it speaks something else', async () => {
    const port = await listen((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'));
    await expect(client().open(`nfs://127.0.0.1:${port}/disk?version=4`, never)).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCE_CONNECT',
      message: expect.stringContaining('no NFS server'),
    });
  });

  it('is left within a second when the signal aborts', async () => {
    const controller = new AbortController();
    const port = await listen(() => controller.abort());
    const { spawn, haveEnded } = watchedSpawn();
    await expect(client({ spawn }).open(`nfs://127.0.0.1:${port}/disk`, controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    await haveEnded();
  });

  it('is left when the client closes', async () => {
    const { spawn, haveEnded } = watchedSpawn();
    const closing = client({ spawn });
    const port = await listen(() => closing.close());
    await expect(closing.open(`nfs://127.0.0.1:${port}/disk`, never)).rejects.toMatchObject({ name: 'AbortError' });
    await haveEnded();
  });
});

describe('the URL policy', () => {
  it('refuses an address before any process is started', async () => {
    const { spawn, children } = watchedSpawn();
    const strict = client({ settings: testSettings({ allowedInternalCidrs: [] }), spawn });
    await expect(strict.open('nfs://127.0.0.1/export/disk', never)).rejects.toMatchObject({
      code: 'SLIPWAY_URL_FORBIDDEN',
    });
    expect(children).toEqual([]);
  });

  it('refuses a name that leads to a forbidden address', async () => {
    const strict = client({ settings: testSettings({ allowedInternalCidrs: [] }) });
    await expect(strict.open('nfs://localhost/export/disk', never)).rejects.toMatchObject({
      code: 'SLIPWAY_URL_FORBIDDEN',
    });
  });

  it('leads to the address that was checked, whatever the name resolves to later', async () => {
    const reached: string[] = [];
    const port = await listen((socket) => {
      reached.push('checked');
      socket.destroy();
    }, '127.0.0.2');
    await listen(
      (socket) => {
        reached.push('rebound');
        socket.destroy();
      },
      '127.0.0.1',
      port,
    );
    const answers = ['127.0.0.2', '127.0.0.1'];
    const resolve: LookupFunction = (_name, _options, callback) =>
      callback(null, [{ address: answers.shift() ?? '127.0.0.1', family: 4 }]);
    const settings = testSettings({ allowedInternalCidrs: ['127.0.0.2/32'] });
    const rebound = client({ settings, resolve });
    await expect(rebound.open(`nfs://images.example:${port}/disk?version=4`, never)).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCE_CONNECT',
    });
    expect(reached).toEqual(['checked']);
    expect(answers).toEqual(['127.0.0.1']);
    // Asked anew, it is checked anew.
    await expect(rebound.open(`nfs://images.example:${port}/disk?version=4`, never)).rejects.toMatchObject({
      code: 'SLIPWAY_URL_FORBIDDEN',
    });
  });

  it('is told of a name that does not resolve', async () => {
    await expect(client().open('nfs://images.invalid/disk', never)).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCE_CONNECT',
    });
  });

  it('does not wait for a name longer than for a connection', async () => {
    const settings = testSettings({ connectTimeoutMs: 50 });
    await expect(
      client({ settings, resolve: () => undefined }).open('nfs://a.example/disk', never),
    ).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_TIMEOUT' });
  });

  it('does not wait for a name once the signal aborts', async () => {
    const controller = new AbortController();
    const resolve: LookupFunction = () => controller.abort();
    await expect(client({ resolve }).open('nfs://a.example/disk', controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
  });
});

it('names the package when libnfs is not installed', async () => {
  await expect(
    client({ libraries: ['libnfs-of-nobody.so.13'] }).open('nfs://127.0.0.1/disk', never),
  ).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_NFS', message: expect.stringContaining('libnfs13') });
});
