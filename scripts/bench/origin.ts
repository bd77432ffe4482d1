import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The other end of the download benchmark, as a process of its own: `origin.ts <sizeBytes>` serves a file of that size
 * on 127.0.0.1 and prints `{ "port", "sha256" }`. The file is one random block over and over, so that the server costs
 * one copy into the socket and no disk: what is measured is the client.
 */
const BLOCK_BYTES = 64 * 1024 * 1024;
const WRITE_BYTES = 1024 * 1024;

function sha256Of(block: Buffer, sizeBytes: number): string {
  const hash = createHash('sha256');
  for (let offset = 0; offset < sizeBytes; offset += block.length) {
    hash.update(block.subarray(0, Math.min(block.length, sizeBytes - offset)));
  }
  return hash.digest('hex');
}

/** Sends bytes `start` to `end` (exclusive) of the endless repetition of `block`. */
function send(response: ServerResponse, block: Buffer, start: number, end: number): void {
  let offset = start;
  const more = (): void => {
    while (offset < end) {
      const inBlock = offset % block.length;
      const count = Math.min(WRITE_BYTES, end - offset, block.length - inBlock);
      offset += count;
      if (!response.write(block.subarray(inBlock, inBlock + count))) return void response.once('drain', more);
    }
    response.end();
  };
  more();
}

const sizeBytes = Number(process.argv[2]);
const block = randomBytes(BLOCK_BYTES);

const server = createServer((request, response) => {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Number(range[2]) + 1 : sizeBytes;
  response.writeHead(range ? 206 : 200, {
    'content-length': end - start,
    'accept-ranges': 'bytes',
    etag: '"bench"',
    ...(range ? { 'content-range': `bytes ${start}-${end - 1}/${sizeBytes}` } : {}),
  });
  if (request.method === 'HEAD') response.end();
  else send(response, block, start, end);
});

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, sha256: sha256Of(block, sizeBytes) })}\n`);
});
