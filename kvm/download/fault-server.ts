import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { drained } from '../../demo/drained.js';

/** How one answer goes wrong. Offsets are bytes of the answer's body, if nothing else is said. */
export interface Fault {
  /** This status and nothing else. */
  status?: number;
  headers?: Record<string, string>;
  /** Resets the connection there. */
  resetAt?: number;
  /** Falls silent there, and keeps the connection open. */
  stallAt?: number;
  /** Ends the connection in good order there. */
  endAt?: number;
  /** Waits there for a test that wants other things to happen before. */
  holdAt?: { byte: number; until: Promise<unknown> };
  /** Bytes of the file that are turned over. */
  corrupt?: { fromByte: number; endByte: number };
  /** Of a Content-Length that lies; negative for too little. */
  excessBytes?: number;
  /** The range that is announced begins so many bytes behind the one sent. */
  rangeShift?: number;
  /** Answers a range with so many bytes less than asked for. */
  shorterBy?: number;
  isIgnoringRange?: boolean;
  /** Announces no length. */
  isChunked?: boolean;
  isGzipped?: boolean;
  /** In place of the file's; `null` for none. */
  etag?: string | null;
  bytesPerSecond?: number;
  /** Closes the connection behind the answer, and has not said so. */
  isClosing?: boolean;
  isHinted?: boolean;
  hugeHeaderBytes?: number;
}

export interface FaultyFile {
  content: Buffer;
  /** Of the requests in their order; those behind the last one are answered as they should be. */
  faults?: readonly Fault[];
  /** Of every request, beside its own. */
  always?: Fault;
  /** More connections at once than so many are answered 503. */
  maxConnections?: number;
}

export interface FaultServer {
  url: string;
  serve(path: string, file: FaultyFile): void;
  /** Requests for a path. */
  requests(path: string): { range: string | undefined }[];
  /** Bytes of bodies for a path that were handed to the socket. */
  bytes(path: string): number;
  /** Requests that got a 503 for there were too many. */
  refused(path: string): number;
  stop(): Promise<void>;
}

const CHUNK_BYTES = 32 * 1024;
const LAST_MODIFIED = 'Mon, 01 Jan 2024 00:00:00 GMT';

interface Served {
  file: FaultyFile;
  etag: string;
  requests: { range: string | undefined }[];
  bytes: number;
  atWork: number;
  refused: number;
}

/** `null` for a range that is not there. */
function rangeOf(
  request: IncomingMessage,
  etag: string | null,
  size: number,
): { from: number; end: number } | null | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const ifRange = request.headers['if-range'];
  if (!match || (ifRange !== undefined && ifRange !== etag && ifRange !== LAST_MODIFIED)) return undefined;
  const from = Number(match[1]);
  const end = match[2] ? Math.min(Number(match[2]) + 1, size) : size;
  return from < end ? { from, end } : null;
}

function damaged(content: Buffer, from: number, end: number, corrupt: Fault['corrupt']): Buffer {
  const bytes = Buffer.from(content.subarray(from, end));
  if (!corrupt) return bytes;
  const last = Math.min(corrupt.endByte - from, bytes.length);
  for (let index = Math.max(0, corrupt.fromByte - from); index < last; index++)
    bytes[index] = 255 - (bytes[index] ?? 0);
  return bytes;
}

async function sendBody(
  response: ServerResponse,
  body: Buffer,
  fault: Fault,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { holdAt, resetAt = Infinity, stallAt = Infinity, endAt = Infinity, bytesPerSecond, excessBytes = 0 } = fault;
  const endByte = Math.min(body.length, resetAt, stallAt, endAt);
  for (let offset = 0; offset < endByte && !response.destroyed;) {
    const edge = holdAt && offset < holdAt.byte ? holdAt.byte : Infinity;
    const chunk = body.subarray(offset, Math.min(endByte, offset + CHUNK_BYTES, edge));
    onBytes(chunk.length);
    if (!response.write(chunk)) await drained(response);
    offset += chunk.length;
    if (offset === holdAt?.byte) await holdAt.until;
    if (bytesPerSecond !== undefined) await sleep((chunk.length * 1000) / bytesPerSecond);
  }
  if (response.destroyed) return;
  // What was written before has to be on its way, for it to arrive.
  if (resetAt === endByte) return void response.write('', () => response.socket?.resetAndDestroy());
  if (stallAt === endByte) return;
  if (endAt === endByte || excessBytes > 0 || fault.isClosing)
    return void response.write('', () => response.socket?.end());
  response.end();
}

async function answer(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  const { file, requests } = served;
  const fault: Fault = { ...file.always, ...file.faults?.[requests.length] };
  requests.push({ range: request.headers.range });
  if (served.atWork > (file.maxConnections ?? Infinity)) {
    served.refused += 1;
    return void response.writeHead(503).end();
  }
  const { content } = file;
  const etag = fault.etag === undefined ? served.etag : fault.etag;
  if (fault.isHinted) response.writeEarlyHints({ link: '</style.css>; rel=preload' });
  if (fault.status !== undefined) return void response.writeHead(fault.status, fault.headers).end();
  const range = fault.isIgnoringRange ? undefined : rangeOf(request, etag, content.length);
  if (range === null) return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
  const from = range?.from ?? 0;
  const end = range ? Math.max(from + 1, range.end - (fault.shorterBy ?? 0)) : content.length;
  const plain = damaged(content, from, end, fault.corrupt);
  const body = fault.isGzipped ? gzipSync(plain) : plain;
  const { rangeShift = 0, excessBytes = 0 } = fault;
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    ...(etag === null ? {} : { etag, 'last-modified': LAST_MODIFIED }),
    ...(fault.isGzipped ? { 'content-encoding': 'gzip' } : {}),
    ...(fault.isChunked ? {} : { 'content-length': Math.max(0, body.length + excessBytes) }),
    ...(range
      ? { 'content-range': `bytes ${from + rangeShift}-${end - 1 + rangeShift}/${content.length + rangeShift}` }
      : {}),
    ...(fault.hugeHeaderBytes === undefined ? {} : { 'x-huge': 'x'.repeat(fault.hugeHeaderBytes) }),
    ...fault.headers,
  });
  await sendBody(response, body, fault, (bytes) => (served.bytes += bytes));
}

/** A real HTTP server on 127.0.0.1 for tests, each of whose answers goes wrong as its script says. */
export async function startFaultServer(): Promise<FaultServer> {
  const paths = new Map<string, Served>();
  const at = (path: string): Served => {
    const served = paths.get(path);
    if (!served) throw new Error(`Nothing is served at ${path}`);
    return served;
  };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const served = paths.get(new URL(request.url ?? '/', 'http://fault').pathname);
    if (!served) return void response.writeHead(404).end();
    served.atWork += 1;
    response.once('close', () => (served.atWork -= 1));
    answer(request, response, served).catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    serve: (path, file) => {
      const etag = `"${paths.size}-${file.content.length}"`;
      paths.set(path, { file, etag, requests: [], bytes: 0, atWork: 0, refused: 0 });
    },
    requests: (path) => at(path).requests,
    bytes: (path) => at(path).bytes,
    refused: (path) => at(path).refused,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
