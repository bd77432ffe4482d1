import { Worker } from 'node:worker_threads';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';
import type { PieceHashes } from '../../shared/images.js';

/**
 * The thread's program. It is text because a worker cannot load TypeScript, and the same source has to run from
 * dist/, from tsx and from jest: text has no path to resolve and no build step that could be forgotten.
 *
 * Messages are worked off in order, which is what keeps the hashed bytes in order. A piece with a wrong hash takes the
 * hashes back to its first byte; what was queued behind it is ignored until the main thread has said `resume`.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const fs = require('node:fs');

const { names, pieces, fd } = workerData;
const slots = workerData.slots.map((slot) => Buffer.from(slot));
const start = () => names.map((name) => createHash(name));
const buffer = Buffer.allocUnsafe(1 << 20);
let hashes = start();
let position = 0;
let isRefused = false;
let pieceHash = pieces && createHash(pieces.name);
let before = hashes.map((hash) => hash.copy());

const goTo = (offset, states) => {
  position = offset;
  hashes = states;
  before = hashes.map((hash) => hash.copy());
  if (pieces) pieceHash = createHash(pieces.name);
};
const pieceEnd = () => Math.min((Math.floor(position / pieces.length) + 1) * pieces.length, pieces.totalBytes);

function update(bytes) {
  for (let rest = bytes; rest.length > 0 && !isRefused; ) {
    const part = pieces ? rest.subarray(0, pieceEnd() - position) : rest;
    // Bytes behind the announced end are of no piece: the transfer that brought them is refused elsewhere.
    if (part.length === 0) return;
    for (const hash of hashes) hash.update(part);
    rest = rest.subarray(part.length);
    if (pieces) {
      pieceHash.update(part);
      const end = pieceEnd();
      position += part.length;
      if (position === end) endPiece(end);
    } else {
      position += part.length;
    }
  }
}

function endPiece(end) {
  const index = Math.floor((end - 1) / pieces.length);
  if (pieceHash.digest('hex') === pieces.values[index]) return goTo(end, hashes);
  isRefused = true;
  goTo(index * pieces.length, before);
}

function hashFile(from, to) {
  for (let offset = from; offset < to && !isRefused; ) {
    const count = fs.readSync(fd, buffer, 0, Math.min(buffer.length, to - offset), offset);
    if (count === 0) throw new Error('The partial file became shorter while it was read');
    update(buffer.subarray(0, count));
    offset += count;
  }
}

const goodBytes = () => (pieces && position < pieces.totalBytes ? position - (position % pieces.length) : position);

parentPort.on('message', (message) => {
  let digests;
  if (message.kind === 'slot') update(slots[message.slot].subarray(0, message.length));
  if (message.kind === 'file') hashFile(message.from, message.to);
  if (message.kind === 'resume') isRefused = false;
  if (message.kind === 'reset') { isRefused = false; goTo(0, start()); }
  if (message.kind === 'digest') digests = hashes.map((hash) => hash.copy().digest('hex'));
  parentPort.postMessage({ digests, goodBytes: goodBytes(), refusedAt: isRefused ? position : undefined });
});
`;

/** Names of the algorithms in OpenSSL. */
const opensslName = (algorithm: DigestAlgorithm): string => algorithm.toLowerCase().replace('-', '');

export interface Hashed {
  /** Bytes from the start that are hashed and, with piece hashes, found right. */
  goodBytes: number;
  /** First byte of a piece whose hash is wrong: nothing is hashed any more until `resume`. */
  refusedAt?: number;
}

export interface HashThread {
  /** Hashes the first `length` bytes of a slot. The slot must not change until it resolves. */
  hashSlot(slot: number, length: number): Promise<Hashed>;
  /** Hashes bytes that are in the file. */
  hashFile(fromByte: number, endByte: number): Promise<Hashed>;
  /** Goes on at the piece that was refused. */
  resume(): Promise<Hashed>;
  /** Forgets all bytes. */
  reset(): Promise<Hashed>;
  /** Digests of all bytes so far. */
  digests(): Promise<Digest[]>;
  stop(): Promise<void>;
}

type Request =
  | { kind: 'slot'; slot: number; length: number }
  | { kind: 'file'; from: number; to: number }
  | { kind: 'resume' }
  | { kind: 'reset' }
  | { kind: 'digest' };

export interface HashThreadOptions {
  algorithms: readonly DigestAlgorithm[];
  slots: readonly SharedArrayBuffer[];
  /** Of the file, for `hashFile`. */
  fd: number;
  pieces?: (PieceHashes & { totalBytes: number }) | undefined;
}

/** Hashing costs more than downloading: in the thread of the socket it would halve the throughput. */
export function startHashThread({ algorithms, slots, fd, pieces }: HashThreadOptions): HashThread {
  const worker = new Worker(PROGRAM, {
    eval: true,
    // Not the flags of the process: its loaders cost the thread a second, and could take the text for a module.
    execArgv: [],
    workerData: {
      slots,
      fd,
      names: algorithms.map(opensslName),
      pieces: pieces && {
        name: opensslName(pieces.algorithm),
        length: pieces.lengthBytes,
        values: pieces.values,
        totalBytes: pieces.totalBytes,
      },
    },
  });
  const waiting: { resolve: (answer: Hashed & { digests?: string[] }) => void; reject: (error: unknown) => void }[] =
    [];
  let failure: unknown;

  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  worker.on('message', (answer: Hashed & { digests?: string[] }) => waiting.shift()?.resolve(answer));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('The hash thread ended')));

  const ask = (request: Request): Promise<Hashed & { digests?: string[] }> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting.push({ resolve, reject });
      worker.postMessage(request);
    });

  return {
    hashSlot: (slot, length) => ask({ kind: 'slot', slot, length }),
    hashFile: (fromByte, endByte) => ask({ kind: 'file', from: fromByte, to: endByte }),
    resume: () => ask({ kind: 'resume' }),
    reset: () => ask({ kind: 'reset' }),
    digests: async () => {
      const { digests = [] } = await ask({ kind: 'digest' });
      return algorithms.map((algorithm, index) => ({ algorithm, value: digests[index] ?? '' }));
    },
    stop: async () => void (await worker.terminate()),
  };
}
