import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { trusting } from '../../tests/support/certificate-authority.js';
import { createHttpClient } from './http-client.js';
import type { ByteSink } from './byte-sink.js';
import type { SourceBody } from './source-client.js';
import { testSettings } from './test-support.js';

const run = promisify(execFile);

/** A server that answers each request with given pieces, each in a packet of its own, and then closes. */
async function startRawServer(): Promise<{ url: string; answer: (...pieces: Buffer[]) => void; stop: () => void }> {
  let pieces: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('data', () => {
      // The answer to another request must not be continued on this connection.
      const given = pieces;
      const next = (index: number): void => {
        const piece = given[index];
        if (!piece) return void socket.end();
        socket.write(piece, () => setImmediate(next, index + 1));
      };
      next(0);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    answer: (...given) => void (pieces = given),
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Memory of a few bytes, so that bodies go both ways: into reserved memory and through `write`. */
function smallSink(): ByteSink & { bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  const memory = Buffer.alloc(5);
  let reservations = 0;
  return {
    bytes: () => Buffer.concat(chunks),
    write(chunk) {
      chunks.push(Buffer.from(chunk));
      return chunks.length % 3 !== 0;
    },
    whenWritable: () => new Promise((done) => setImmediate(done)),
    direct: {
      reserve: () => (reservations++ % 3 === 2 ? undefined : memory),
      commit: (length) => chunks.push(Buffer.from(memory.subarray(0, length))) % 3 !== 1,
    },
  };
}

let server: Awaited<ReturnType<typeof startRawServer>>;
const client = createHttpClient({ settings: testSettings() });
beforeAll(async () => {
  server = await startRawServer();
});
afterAll(() => {
  client.close();
  server.stop();
});

const get = (): Promise<SourceBody> => client.open(server.url, new AbortController().signal);

async function bodyOf(...pieces: (Buffer | string)[]): Promise<string> {
  server.answer(...pieces.map((piece) => Buffer.from(piece)));
  const response = await get();
  const sink = smallSink();
  await response.pump(sink);
  return sink.bytes().toString();
}

describe('a body', () => {
  const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n';
  const BODY = 'a\r\n\r\nb\n\nHTTP/1.1 200 OK\r\n\r';

  it.each([
    ['with a length', LENGTH],
    ['that ends with the connection', 'HTTP/1.1 200 OK\r\n\r\n'],
    ['after an early hint', `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${LENGTH}`],
  ])('%s is the same however the packets fall', async (_what, head) => {
    const message = Buffer.from(head + BODY);
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.integer({ min: 1, max: message.length - 1 }), { maxLength: 6 }),
        async (cuts) => {
          const edges = [0, ...cuts.toSorted((a, b) => a - b), message.length];
          const pieces = edges.slice(1).map((edge, index) => message.subarray(edges[index], edge));
          expect(await bodyOf(...pieces)).toBe(BODY);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('after empty lines is whole, and their end is no end of a head', async () => {
    expect(await bodyOf('\r\n\r\n', LENGTH, BODY)).toBe(BODY);
    expect(await bodyOf('\r\n', `\r\n${LENGTH}${BODY}`)).toBe(BODY);
    await expect(bodyOf('\r\n\r\n')).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_INTERRUPTED' });
  });

  it('in chunks is put together', async () => {
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n';
    expect(await bodyOf(chunked)).toBe('abcdefg');
  });

  it('ends at its length, whatever the server sends behind it', async () => {
    expect(await bodyOf('HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n', 'abcd', 'efgJUNK', 'JUNK')).toBe('abcdefg');
  });

  it('of no bytes ends at once', async () => {
    expect(await bodyOf('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')).toBe('');
  });
});

describe('an answer', () => {
  it.each([
    ['that is cut in the head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['that is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['with two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 7\r\n\r\nabcdefg'],
    ['with a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabcde'],
    ['with a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['with an endless head', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
    ['that is cut in the body', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabc'],
    ['that is cut in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nabc'],
  ])('%s is an interruption', async (_what, message) => {
    await expect(bodyOf(message)).rejects.toMatchObject({ code: 'SLIPWAY_SOURCE_INTERRUPTED' });
  });

  it.each([
    ['a reason', ['HTTP/1.1 200 ', ...Array.from({ length: 20 }, () => 'a'.repeat(8192))]],
    ['informational answers', Array.from({ length: 20 }, () => 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(10))],
  ])('with %s without end is given up long before its time is over', async (_what, pieces) => {
    await expect(bodyOf(...pieces)).rejects.toThrow('ENDLESS_HEAD');
  });

  it('that has a header twice has the first', async () => {
    server.answer(Buffer.from('HTTP/1.1 200 OK\r\nETag: "1"\r\nETag: "2"\r\nContent-Length: 1\r\n\r\nx'));
    const response = await get();
    response.discard();
    expect(response.etag).toBe('"1"');
  });

  it('to a sink that fails ends with the failure of the sink', async () => {
    server.answer(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\nabc'));
    const response = await get();
    const full = new Error('full');
    const sink = {
      ...smallSink(),
      write: () => {
        throw full;
      },
    };
    await expect(response.pump(sink)).rejects.toBe(full);
  });
});

describe('over TLS', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'slipway-tls-'));
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await run('openssl', ['req', '-x509', ...newKey, ...subject, '-keyout', 'key', '-out', 'cert'], { cwd: directory });
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('a body is whole that ends, with its connection, while the sink takes nothing', async () => {
    const cert = await readFile(join(directory, 'cert'), 'utf8');
    const tls = createTlsServer({ cert, key: await readFile(join(directory, 'key')) }, (socket) => {
      socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde');
    });
    await new Promise<void>((done) => tls.listen(0, '127.0.0.1', done));
    const client = createHttpClient({ settings: testSettings(), trust: trusting(cert) });
    const url = `https://127.0.0.1:${(tls.address() as AddressInfo).port}/`;
    const response = await client.open(url, new AbortController().signal);
    const chunks: string[] = [];
    await response.pump({
      write: (chunk) => chunks.push(chunk.toString()) === 0,
      whenWritable: () => new Promise((done) => setTimeout(done, 50)),
    });
    expect(chunks.join('')).toBe('abcde');
    tls.close();
  });
});

describe('a connection', () => {
  it('is not kept to a server that never ends the handshake', async () => {
    const silent = createServer();
    const isClosed = new Promise((done) => {
      silent.once('connection', (socket) =>
        socket
          .on('error', () => undefined)
          .once('close', done)
          .resume(),
      );
    });
    await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`;
    const impatient = createHttpClient({ settings: testSettings({ connectTimeoutMs: 100 }) });
    await expect(impatient.open(url, new AbortController().signal)).rejects.toMatchObject({
      code: 'SLIPWAY_SOURCE_TIMEOUT',
    });
    await isClosed;
    silent.close();
  });
});
