import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { SlipwayError } from '../../shared/errors.js';
import type { RateLimit } from './bandwidth.js';
import type { ByteSink } from './byte-sink.js';
import type { DownloadFile } from './download-file.js';
import type { FileWriter } from './file-writer.js';
import type { Extent, RangePlan, Reader } from './range-plan.js';

/** Ends a transfer whose further bytes come from elsewhere. */
export class EnoughBytes extends Error {
  override readonly name = 'EnoughBytes';
}

export interface ExtentSinkOptions {
  shownUrl: string;
  file: DownloadFile;
  plan: RangePlan;
  reader: Reader;
  extent: Extent;
  /** Offset in the file of the body's first byte. */
  fromByte: number;
  /** Offset behind the body's last byte, if it was announced. */
  endByte: number | undefined;
  /** Whether the server can be asked for other bytes than those that come next. */
  hasRanges: boolean;
  maxSizeBytes: number;
  limits: readonly RateLimit[];
  onReceived: (bytes: number) => void;
  /** Of what was received: bytes that are new. */
  onTaken: (bytes: number) => void;
}

/**
 * Takes the bytes of one body that the plan wants from it: skips what is there already, goes on with the next free
 * bytes while the body goes on, and ends the transfer when others fetch the rest.
 */
export class ExtentSink implements ByteSink {
  readonly #options: ExtentSinkOptions;
  readonly #signal: AbortSignal;
  /** Offset in the file of the next byte of the body. */
  #position: number;
  #extent: Extent | undefined;
  #writer: FileWriter | undefined;
  #readableAtMs = 0;
  #isClosed = false;

  constructor(options: ExtentSinkOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#position = options.fromByte;
    this.#extent = options.extent;
  }

  /** How far the body has come. */
  get position(): number {
    return this.#position;
  }

  readonly direct = {
    reserve: (): Uint8Array | undefined => {
      const extent = this.#extent;
      if (this.#isClosed || !extent || extent.position !== this.#position || this.#isThrottled()) return undefined;
      const restBytes = extent.endByte - extent.position;
      if (restBytes <= 0) return undefined;
      this.#writer ??= this.#options.file.writer();
      return this.#writer.reserve(this.#position)?.subarray(0, restBytes);
    },
    commit: (bytes: number): boolean => {
      const extent = this.#extent;
      const writer = this.#writer as FileWriter;
      const isWanted = extent?.position === this.#position && extent.endByte - extent.position >= bytes;
      if (!isWanted) {
        // While these bytes came, another reader brought them, or was given them.
        return this.#take(writer.withdraw(bytes)) && !this.#isThrottled();
      }
      this.#count(bytes);
      const isReady = writer.commit(bytes);
      this.#advance(extent, bytes);
      this.#endIfComplete();
      return isReady && !this.#isThrottled();
    },
  };

  write(chunk: Buffer): boolean {
    return this.#take(chunk) && !this.#isThrottled();
  }

  async whenWritable(): Promise<void> {
    const waitMs = this.#readableAtMs - performance.now();
    if (waitMs > 0) await sleep(waitMs, undefined, { signal: this.#signal });
    await this.#writer?.whenWritable();
  }

  /** Hands over all bytes taken. The connection must be gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { file, plan, reader } = this.#options;
    try {
      if (this.#writer) await file.release(this.#writer);
    } finally {
      if (this.#extent) plan.release(this.#extent, reader);
      this.#extent = undefined;
    }
  }

  #isThrottled(): boolean {
    return this.#readableAtMs > performance.now();
  }

  /** `false` when the bytes have to wait for the disk. */
  #take(chunk: Buffer): boolean {
    this.#count(chunk.length);
    let isReady = true;
    let rest = chunk;
    while (rest.length > 0) {
      const extent = this.#extent;
      if (!extent) throw this.#isBeyondFile() ? this.#tooLong() : new EnoughBytes();
      const skipped = Math.min(rest.length, Math.max(0, extent.position - this.#position));
      this.#position += skipped;
      rest = rest.subarray(skipped);
      const bytes = rest.subarray(0, extent.endByte - extent.position);
      if (bytes.length > 0) {
        this.#writer ??= this.#options.file.writer();
        isReady = this.#writer.write(this.#position, bytes) && isReady;
        this.#advance(extent, bytes.length);
        rest = rest.subarray(bytes.length);
      }
      this.#endIfComplete();
    }
    return isReady;
  }

  #advance(extent: Extent, bytes: number): void {
    const { plan, reader, onTaken } = this.#options;
    plan.take(extent, reader, bytes);
    onTaken(bytes);
    this.#position += bytes;
  }

  /** Goes on with what is free behind, if the body has it. */
  #endIfComplete(): void {
    const { plan, reader, endByte, hasRanges } = this.#options;
    const extent = this.#extent;
    if (!extent || extent.position < extent.endByte) return;
    plan.release(extent, reader);
    this.#extent = undefined;
    if (endByte !== undefined && this.#position >= endByte) return;
    this.#extent = plan.claimBehind(reader, this.#position, !hasRanges);
    // A body without a length may have an end that is still to come, and must not be cut off before it.
    if (!this.#extent && !this.#isBeyondFile()) throw new EnoughBytes();
  }

  #isBeyondFile(): boolean {
    return this.#position >= (this.#options.plan.totalBytes ?? Number.POSITIVE_INFINITY);
  }

  #count(bytes: number): void {
    const { onReceived, limits, maxSizeBytes, plan, shownUrl } = this.#options;
    onReceived(bytes);
    const nowMs = performance.now();
    for (const limit of limits) this.#readableAtMs = Math.max(this.#readableAtMs, limit.take(bytes, nowMs));
    // Where the size is known, bytes behind it are this source's fault alone.
    if (plan.totalBytes === undefined && this.#position + bytes > maxSizeBytes) {
      throw new SlipwayError(
        'SLIPWAY_TEMPLATE_TOO_LARGE',
        `${shownUrl}: more than the allowed ${maxSizeBytes} bytes came`,
      );
    }
  }

  #tooLong(): SlipwayError {
    const { shownUrl, plan } = this.#options;
    return new SlipwayError(
      'SLIPWAY_SOURCE_SIZE',
      `${shownUrl}: more than the announced ${plan.totalBytes} bytes came`,
    );
  }
}
