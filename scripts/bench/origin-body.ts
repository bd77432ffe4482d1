import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';

const MAX_WRITE_BYTES = 1024 * 1024;
/** What a connection with a rate sends at once. */
const STEP_MS = 5;
/** Late timers are made up for, within bounds: a client that did not read has lost its time. */
const MAX_BEHIND_MS = 50;

interface BodyOptions {
  response: ServerResponse;
  /** The file is this over and over. */
  block: Buffer;
  start: number;
  /** Exclusive. */
  end: number;
  bytesPerSecond: number;
  onServed: (bytes: number) => void;
}

/** One body on its way, at the rate of its connection. */
export class Body {
  readonly #options: BodyOptions;
  readonly #writeBytes: number;
  #offset: number;
  /** When what was sent so far should have been sent. */
  #dueAtMs = performance.now();

  constructor(options: BodyOptions) {
    this.#options = options;
    this.#offset = options.start;
    this.#writeBytes = Math.min(MAX_WRITE_BYTES, Math.ceil((options.bytesPerSecond * STEP_MS) / 1000));
  }

  readonly send = (): void => {
    const { response, block, end, bytesPerSecond, onServed } = this.#options;
    while (this.#offset < end) {
      if (response.destroyed) return;
      const nowMs = performance.now();
      if (this.#dueAtMs > nowMs) return void setTimeout(this.send, this.#dueAtMs - nowMs);
      const inBlock = this.#offset % block.length;
      const count = Math.min(this.#writeBytes, end - this.#offset, block.length - inBlock);
      this.#offset += count;
      this.#dueAtMs = Math.max(this.#dueAtMs, nowMs - MAX_BEHIND_MS) + (count * 1000) / bytesPerSecond;
      const isReady = response.write(block.subarray(inBlock, inBlock + count));
      onServed(count);
      if (!isReady) return void response.once('drain', this.send);
    }
    response.end();
  };
}
