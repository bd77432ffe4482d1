import { Worker } from 'node:worker_threads';
import type { Digest, DigestAlgorithm } from '../../shared/checksum.js';

/**
 * The thread's program. It is text because a worker cannot load TypeScript, and the same source has to run from
 * dist/, from tsx and from jest: text has no path to resolve and no build step that could be forgotten.
 *
 * Messages are worked off in order, which is what keeps the hashed bytes in order.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const fs = require('node:fs');

const slots = workerData.slots.map((slot) => Buffer.from(slot));
const start = () => workerData.names.map((name) => createHash(name));
let hashes = start();
const update = (bytes) => { for (const hash of hashes) hash.update(bytes); };

function hashFile(path, length) {
  const buffer = Buffer.allocUnsafe(1 << 20);
  const fd = fs.openSync(path, 'r');
  try {
    for (let offset = 0; offset < length; ) {
      const count = fs.readSync(fd, buffer, 0, Math.min(buffer.length, length - offset), offset);
      if (count === 0) throw new Error('The partial file became shorter while it was read');
      update(buffer.subarray(0, count));
      offset += count;
    }
  } finally {
    fs.closeSync(fd);
  }
}

parentPort.on('message', (message) => {
  let answer;
  if (message.kind === 'slot') update(slots[message.slot].subarray(0, message.length));
  if (message.kind === 'file') hashFile(message.path, message.length);
  if (message.kind === 'reset') hashes = start();
  if (message.kind === 'digest') answer = hashes.map((hash) => hash.copy().digest('hex'));
  parentPort.postMessage(answer);
});
`;

/** Names of the algorithms in OpenSSL. */
const opensslName = (algorithm: DigestAlgorithm): string => algorithm.toLowerCase().replace('-', '');

export interface HashThread {
  /** Hashes the first `length` bytes of a slot. The slot must not change until it resolves. */
  hashSlot(slot: number, length: number): Promise<void>;
  /** Hashes the first `length` bytes of a file, as what precedes the slots. */
  hashFile(path: string, length: number): Promise<void>;
  /** Forgets all bytes. */
  reset(): Promise<void>;
  /** Digests of all bytes so far. */
  digests(): Promise<Digest[]>;
  stop(): Promise<void>;
}

type Request =
  | { kind: 'slot'; slot: number; length: number }
  | { kind: 'file'; path: string; length: number }
  | { kind: 'reset' }
  | { kind: 'digest' };

/** Hashing costs more than downloading: in the thread of the socket it would halve the throughput. */
export function startHashThread(
  algorithms: readonly DigestAlgorithm[],
  slots: readonly SharedArrayBuffer[],
): HashThread {
  const worker = new Worker(PROGRAM, {
    eval: true,
    // Not the flags of the process: its loaders cost the thread a second, and could take the text for a module.
    execArgv: [],
    workerData: { slots, names: algorithms.map(opensslName) },
  });
  const waiting: { resolve: (answer: unknown) => void; reject: (error: unknown) => void }[] = [];
  let failure: unknown;

  const fail = (error: unknown): void => {
    failure ??= error;
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  worker.on('message', (answer: unknown) => waiting.shift()?.resolve(answer));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('The hash thread ended')));

  const ask = (request: Request): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting.push({ resolve, reject });
      worker.postMessage(request);
    });

  return {
    hashSlot: async (slot, length) => void (await ask({ kind: 'slot', slot, length })),
    hashFile: async (path, length) => void (await ask({ kind: 'file', path, length })),
    reset: async () => void (await ask({ kind: 'reset' })),
    digests: async () => {
      const values = (await ask({ kind: 'digest' })) as string[];
      return algorithms.map((algorithm, index) => ({ algorithm, value: values[index] ?? '' }));
    },
    stop: async () => void (await worker.terminate()),
  };
}
