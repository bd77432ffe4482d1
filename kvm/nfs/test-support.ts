import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { downloadSettings, type DownloadSettings } from '../../shared/download-settings.js';
import { defaultSettings } from '../../shared/settings.js';
import { spawnConfined, type SpawnConfined } from '../confined/spawn-confined.js';
import type { ByteSink } from '../download/byte-sink.js';

/** Loopback is allowed: the servers live there. */
export const testSettings = (changes: Partial<DownloadSettings> = {}): DownloadSettings => ({
  ...downloadSettings(defaultSettings()),
  allowedInternalCidrs: ['127.0.0.0/8', '::1/128'],
  ...changes,
});

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Keeps what it is given. */
export class MemorySink implements ByteSink {
  readonly #chunks: Buffer[] = [];

  write(chunk: Buffer): boolean {
    this.#chunks.push(Buffer.from(chunk));
    return true;
  }

  whenWritable(): Promise<void> {
    return Promise.resolve();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }
}

/** Takes a first chunk, and no more until it is opened. */
export class GatedSink implements ByteSink {
  bytes = 0;
  #isOpen = false;
  readonly #first = latch();
  readonly #gate = latch();

  write(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    this.#first.resolve();
    return this.#isOpen;
  }

  whenWritable(): Promise<void> {
    return this.#gate.promise;
  }

  get hasFirst(): Promise<void> {
    return this.#first.promise;
  }

  open(): void {
    this.#isOpen = true;
    this.#gate.resolve();
  }
}

function latch(): { promise: Promise<void>; resolve: () => void } {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** Confined processes that can be looked at. */
export function watchedSpawn(): { spawn: SpawnConfined; children: ChildProcess[]; haveEnded: () => Promise<unknown> } {
  const children: ChildProcess[] = [];
  const ends: Promise<unknown>[] = [];
  const spawn: SpawnConfined = (...started) => {
    const child = spawnConfined(...started);
    children.push(child);
    // Not before the last of its processes has let go of the pipes.
    ends.push(once(child, 'close'));
    return child;
  };
  return { spawn, children, haveEnded: () => Promise.all(ends) };
}
