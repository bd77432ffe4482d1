import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';

/** What the proxy was asked. */
export interface ProxyRequest {
  method: string;
  /** `host:port` of CONNECT, else the whole URL. */
  target: string;
  headers: IncomingHttpHeaders;
}

export interface ForwardProxyOptions {
  /** Addresses of the names that this proxy knows; others it answers 502. */
  names?: Record<string, string>;
  /** `user:password` that it asks for. */
  credentials?: string;
}

/** A real forward proxy on 127.0.0.1 (RFC 9110, 7.6 and 9.3.6). */
export interface ForwardProxy {
  url: URL;
  requests: ProxyRequest[];
  /** Of clients, that are open. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

export async function startForwardProxy({ names = {}, credentials }: ForwardProxyOptions = {}): Promise<ForwardProxy> {
  const requests: ProxyRequest[] = [];
  const sockets = new Set<Duplex>();
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;

  /** The address that a request leads to; a number is the status it is answered with instead. */
  const judge = ({ method = '', url = '', headers }: IncomingMessage, hostname: string): string | number => {
    requests.push({ method, target: url, headers });
    if (expected && headers['proxy-authorization'] !== expected) return 407;
    if (/^[\d.]+$|^\[/.test(hostname)) return hostname.replace(/^\[(.*)\]$/, '$1');
    return names[hostname] ?? 502;
  };

  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const url = new URL(incoming.url ?? '');
    const address = judge(incoming, url.hostname);
    if (typeof address === 'number') return void outgoing.writeHead(address).end();
    const { 'proxy-authorization': _secret, ...headers } = incoming.headers;
    const passed = request(
      { host: address, port: url.port || 80, method: incoming.method, path: url.pathname + url.search, headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        // A transfer that broke off has to break off on this side, too.
        pipeline(answer, outgoing, () => undefined);
      },
    );
    passed.on('error', () => (outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(502).end()));
    outgoing.on('close', () => passed.destroy());
    incoming.pipe(passed);
  };

  const tunnel = (incoming: IncomingMessage, client: Duplex): void => {
    const { hostname, port } = new URL(`http://${incoming.url}`);
    const address = judge(incoming, hostname);
    if (typeof address === 'number') return void client.end(`HTTP/1.1 ${address} Refused\r\n\r\n`);
    const server: Socket = connect(Number(port || 80), address, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    server.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('error', () => server.destroy()).on('close', () => server.destroy());
  };

  const proxy = createServer(forward).on('connect', tunnel);
  proxy.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
  return {
    url: new URL(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`),
    requests,
    connections: () =>
      new Promise((resolve, reject) => {
        proxy.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      }),
    stop: () =>
      new Promise((done) => {
        proxy.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
