import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { Body } from './origin-body.js';

/**
 * The other end of the benchmarks, as a process of its own: `origin.ts <OriginOptions as JSON>` serves one file
 * and prints an `OriginStart`. Each line on its standard input asks for an `OriginCount`. What is served is
 * in memory, so that the server costs one copy into the socket and no disk: what is measured is the client.
 */
export interface OriginOptions {
  /** Length of the file: one random block over and over. */
  sizeBytes?: number;
  /** Or the file itself. */
  path?: string;
  servers: ServerOptions[];
}

export interface ServerOptions {
  /**
   * Added before each answer, and once more for a new connection: what the way to a server that is so far away and back
   * takes. The slow start of TCP is not imitated.
   */
  roundTripMs?: number;
  /** Of each connection; as fast as it goes by default. */
  bytesPerSecond?: number;
}

export interface OriginStart {
  /** One for each server. */
  urls: string[];
  sizeBytes: number;
  sha256: string;
}

export interface OriginCount {
  /** Bytes of bodies since the last question. */
  servedBytes: number;
  /** When the last of them went out, as `performance.timeOrigin + performance.now()` tells time. */
  lastByteAtMs: number;
}

const BLOCK_BYTES = 64 * 1024 * 1024;

const options = JSON.parse(process.argv[2] ?? '{}') as OriginOptions;
const block = options.path === undefined ? randomBytes(BLOCK_BYTES) : readFileSync(options.path);
const sizeBytes = options.sizeBytes ?? block.length;

function sha256(): string {
  const hash = createHash('sha256');
  for (let offset = 0; offset < sizeBytes; offset += block.length) {
    hash.update(block.subarray(0, Math.min(block.length, sizeBytes - offset)));
  }
  return hash.digest('hex');
}

let servedBytes = 0;
let lastByteAtMs = 0;
const onServed = (bytes: number): void => {
  servedBytes += bytes;
  lastByteAtMs = performance.timeOrigin + performance.now();
};

function answer(request: IncomingMessage, response: ServerResponse, bytesPerSecond: number): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(sizeBytes, Number(range[2]) + 1) : sizeBytes;
  response.writeHead(range ? 206 : 200, {
    'content-length': end - start,
    'accept-ranges': 'bytes',
    etag: '"bench"',
    ...(range ? { 'content-range': `bytes ${start}-${end - 1}/${sizeBytes}` } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else new Body({ response, block, start, end, bytesPerSecond, onServed }).send();
}

function listen(
  { roundTripMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }: ServerOptions,
  index: number,
): Promise<string> {
  // Clients count connections by host: each server is one.
  const host = `127.0.0.${index + 1}`;
  const known = new WeakSet<Socket>();
  const server = createServer((request, response) => {
    const waitMs = known.has(request.socket) ? roundTripMs : 2 * roundTripMs;
    known.add(request.socket);
    if (waitMs === 0) answer(request, response, bytesPerSecond);
    else setTimeout(() => answer(request, response, bytesPerSecond), waitMs);
  });
  return new Promise((resolve) =>
    server.listen(0, host, () => resolve(`http://${host}:${(server.address() as AddressInfo).port}/image`)),
  );
}

const print = (line: OriginStart | OriginCount): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

Promise.all(options.servers.map(listen))
  .then((urls) => print({ urls, sizeBytes, sha256: sha256() }))
  .catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  });
createInterface({ input: process.stdin })
  .on('line', () => {
    print({ servedBytes, lastByteAtMs });
    servedBytes = 0;
  })
  // Whoever started it is gone.
  .on('close', () => process.exit());
