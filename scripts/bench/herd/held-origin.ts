import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Serves one file whose downloads come to their end only when they are let go. */
export interface HeldOrigin {
  url: string;
  /** Downloads that were served to their end. */
  ended(): number;
  hold(): void;
  letGo(): void;
  stop(): Promise<void>;
}

/** Whoever reads only the head of the file gets it at once. */
const HEAD_BYTES = 64 * 1024;
/** So that nobody takes the server for dead. */
const TRICKLE_BYTES = 64;
const TRICKLE_MS = 1_000;

export async function startHeldOrigin(content: Buffer): Promise<HeldOrigin> {
  let isHeld = false;
  let ended = 0;
  let release: () => void = () => undefined;
  let released = Promise.resolve();

  const send = async (response: ServerResponse, body: Buffer): Promise<void> => {
    response.write(body.subarray(0, HEAD_BYTES));
    let sent = HEAD_BYTES;
    while (isHeld && sent < body.length && !response.destroyed) {
      await Promise.race([sleep(TRICKLE_MS), released]);
      response.write(body.subarray(sent, sent + TRICKLE_BYTES));
      sent += TRICKLE_BYTES;
    }
    response.end(body.subarray(sent));
  };
  const server = createServer((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(content.length, Number(range[2]) + 1) : content.length;
    response.writeHead(range ? 206 : 200, {
      'content-length': end - start,
      'accept-ranges': 'bytes',
      etag: '"herd"',
      ...(range ? { 'content-range': `bytes ${start}-${end - 1}/${content.length}` } : {}),
    });
    if (request.method === 'HEAD') return void response.end();
    if (end === content.length) response.once('finish', () => ended++);
    void send(response, content.subarray(start, end));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/image.qcow2`,
    ended: () => ended,
    hold() {
      isHeld = true;
      ended = 0;
      released = new Promise((done) => (release = done));
    },
    letGo() {
      isHeld = false;
      release();
    },
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
