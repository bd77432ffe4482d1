import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createHttpClient } from './http-client.js';
import type { SourceClient } from './source-client.js';
import { testSettings } from './test-support.js';

let server: Server;
let client: SourceClient;
const sockets: Socket[] = [];

/** Answers the first request of each connection and hears no other one, as while it closes. */
async function startServer(connection: string): Promise<string> {
  server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: ${connection}\r\n\r\nbody`);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

beforeEach(() => {
  client = createHttpClient({ settings: testSettings({ allowedInternalCidrs: ['127.0.0.1'] }) });
});

afterEach(() => {
  client.close();
  server.close();
  for (const socket of sockets.splice(0)) socket.destroy();
});

it.each(['close', 'Close', 'keep-alive, close'])('a connection is not used again after "%s"', async (connection) => {
  const url = await startServer(connection);
  for (let requests = 1; requests <= 3; requests++) {
    const body = await client.open(url, new AbortController().signal);
    await body.pump({ write: () => true, whenWritable: () => Promise.resolve() });
    expect(sockets).toHaveLength(requests);
  }
});
