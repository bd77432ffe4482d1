import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { drained } from './drained.js';

/** What a path serves, and how it misbehaves. */
export interface OriginFile {
  /** The bytes themselves, or the path of a file. */
  content: Buffer | string | { file: string };
  contentType?: string;
  /** A quoted hash of content and length by default; `null` sends none. */
  etag?: string | null;
  /** Answers this and nothing else. `skip`: not to the first so many requests; `times`: only so often. */
  status?: { code: number; headers?: Record<string, string>; skip?: number; times?: number };
  /** Sends no more than so many bytes a second. */
  bytesPerSecond?: number;
  /**
   * Drops the connection after so many bytes of a body, or falls silent there. `times`: only for the first so many
   * requests.
   */
  dropAfterBytes?: { bytes: number; times?: number; isSilent?: boolean };
  /** Answers 200 with everything, whatever range was asked for. */
  isIgnoringRange?: boolean;
  /** Announces this size in place of the real one; `null` announces none. */
  announcedBytes?: number | null;
  /** Needs these Basic credentials, `user:password`. */
  credentials?: string;
}

export interface OriginStatistics {
  requests: number;
  /** Bytes of bodies that were handed to the socket. */
  bytes: number;
  /** Range headers as they came; an empty text for none. */
  ranges: string[];
  authorizations: string[];
}

export interface OriginServer {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** Adds or replaces what a path serves. */
  serve(path: string, file: OriginFile): void;
  /** Answers 404 to a path from now on. */
  remove(path: string): void;
  statistics(path: string): OriginStatistics;
  stop(): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;

interface Span {
  start: number;
  /** Exclusive. */
  end: number;
}

function contentSize(content: OriginFile['content']): number {
  if (typeof content === 'string') return Buffer.byteLength(content);
  return Buffer.isBuffer(content) ? content.length : statSync(content.file).size;
}

function defaultEtag(content: OriginFile['content']): string {
  const hash = createHash('sha256');
  if (typeof content === 'string' || Buffer.isBuffer(content)) hash.update(content);
  else hash.update(`${content.file} ${statSync(content.file).mtimeMs} ${statSync(content.file).size}`);
  return `"${hash.digest('hex').slice(0, 16)}"`;
}

function openSpan(content: OriginFile['content'], { start, end }: Span): Readable {
  if (start === end) return Readable.from([]);
  if (typeof content !== 'string' && !Buffer.isBuffer(content)) {
    return createReadStream(content.file, { start, end: end - 1, highWaterMark: CHUNK_BYTES });
  }
  const bytes = Buffer.from(content).subarray(start, end);
  const chunks = Array.from({ length: Math.ceil(bytes.length / CHUNK_BYTES) }, (_, index) =>
    bytes.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );
  return Readable.from(chunks);
}

/** `undefined`: no range was asked for; `null`: none of its bytes exist. */
function requestedSpan(request: IncomingMessage, sizeBytes: number, etag: string | null): Span | null | undefined {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (!match) return undefined;
  const ifRange = request.headers['if-range'];
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const start = Number(match[1]);
  const end = match[2] ? Math.min(Number(match[2]) + 1, sizeBytes) : sizeBytes;
  return start < end ? { start, end } : null;
}

/** Counts down a fault that happens only a few times, or not at first. */
function isStillDue(fault: { skip?: number; times?: number } | undefined): boolean {
  if (!fault) return false;
  if (fault.skip !== undefined && fault.skip > 0) {
    fault.skip -= 1;
    return false;
  }
  if (fault.times === undefined) return true;
  fault.times -= 1;
  return fault.times >= 0;
}

async function sendBody(
  response: ServerResponse,
  file: OriginFile,
  span: Span,
  drop: { bytes: number; isSilent?: boolean } | undefined,
  statistics: OriginStatistics,
): Promise<void> {
  const dropAfterBytes = drop?.bytes ?? Infinity;
  let sent = 0;
  for await (const data of openSpan(file.content, span)) {
    const chunk = (data as Buffer).subarray(0, Math.max(0, dropAfterBytes - sent));
    if (response.destroyed) return;
    sent += chunk.length;
    statistics.bytes += chunk.length;
    const isTaken = response.write(chunk);
    if (sent >= dropAfterBytes) {
      if (drop?.isSilent) return;
      // Flushed first, so that the client has got exactly the bytes that were promised to arrive.
      await new Promise((done) => response.write('', done));
      response.destroy();
      return;
    }
    if (!isTaken) await drained(response);
    if (file.bytesPerSecond !== undefined) await sleep((chunk.length * 1000) / file.bytesPerSecond);
  }
  response.end();
}

/**
 * A real HTTP server on 127.0.0.1 that serves images and their metalinks, counts what it serves, and can fail in the
 * ways that real mirrors fail.
 */
export async function startOriginServer(options: { port?: number } = {}): Promise<OriginServer> {
  const files = new Map<string, OriginFile>();
  const counters = new Map<string, OriginStatistics>();

  const statistics = (path: string): OriginStatistics => {
    const known = counters.get(path) ?? { requests: 0, bytes: 0, ranges: [], authorizations: [] };
    counters.set(path, known);
    return known;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://origin').pathname;
    const counter = statistics(path);
    counter.requests += 1;
    counter.ranges.push(request.headers.range ?? '');
    if (request.headers.authorization !== undefined) counter.authorizations.push(request.headers.authorization);
    const file = files.get(path);
    if (!file) return void response.writeHead(404).end();
    if (file.status && isStillDue(file.status)) {
      return void response.writeHead(file.status.code, file.status.headers).end();
    }
    const { credentials } = file;
    const expected = credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`;
    if (expected !== undefined && request.headers.authorization !== expected) {
      return void response.writeHead(401, { 'www-authenticate': 'Basic' }).end();
    }
    const sizeBytes = contentSize(file.content);
    const etag = file.etag === undefined ? defaultEtag(file.content) : file.etag;
    const span = file.isIgnoringRange ? undefined : requestedSpan(request, sizeBytes, etag);
    const totalBytes = file.announcedBytes ?? sizeBytes;
    if (span === null) return void response.writeHead(416, { 'content-range': `bytes */${totalBytes}` }).end();
    const { start, end } = span ?? { start: 0, end: sizeBytes };
    // What is announced in excess or short of the real size belongs to the end of the body.
    const lengthBytes = end === sizeBytes ? totalBytes - start : end - start;
    response.writeHead(span ? 206 : 200, {
      'content-type': file.contentType ?? 'application/octet-stream',
      ...(etag === null ? {} : { etag }),
      ...(file.isIgnoringRange ? {} : { 'accept-ranges': 'bytes' }),
      ...(file.announcedBytes === null ? {} : { 'content-length': lengthBytes }),
      ...(span ? { 'content-range': `bytes ${start}-${start + lengthBytes - 1}/${totalBytes}` } : {}),
    });
    const drop = isStillDue(file.dropAfterBytes) ? file.dropAfterBytes : undefined;
    await sendBody(response, file, { start, end }, drop, counter);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(options.port ?? 0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    serve: (path, file) => void files.set(path, file),
    remove: (path) => void files.delete(path),
    statistics,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

export interface MetalinkMirror {
  url: string;
  priority?: number;
  location?: string;
}

const escapeXml = (text: string): string => text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** A metalink document (RFC 5854) of one file. `sha256` in hex. */
export function metalinkDocument(file: {
  name: string;
  sizeBytes: number;
  sha256: string;
  mirrors: readonly MetalinkMirror[];
}): string {
  const urls = file.mirrors.map(({ url, priority, location }) => {
    const attributes = [
      ...(priority === undefined ? [] : [` priority="${priority}"`]),
      ...(location === undefined ? [] : [` location="${escapeXml(location)}"`]),
    ];
    return `    <url${attributes.join('')}>${escapeXml(url)}</url>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<metalink xmlns="urn:ietf:params:xml:ns:metalink">',
    `  <file name="${escapeXml(file.name)}">`,
    `    <size>${file.sizeBytes}</size>`,
    `    <hash type="sha-256">${file.sha256}</hash>`,
    ...urls,
    '  </file>',
    '</metalink>',
    '',
  ].join('\n');
}
