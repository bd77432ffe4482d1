import { abortError } from '../download/abort.js';
import type { ByteSink } from '../download/byte-sink.js';
import { transportFailure } from '../download/classify-failure.js';
import { watchSink } from '../download/watch-sink.js';
import type { NfsStat } from './nfs-file.js';
import { NfsReaderError, type NfsReader } from './nfs-reader.js';
import { nfsFailure } from './nfs-trouble.js';

/** A reader in the hands of one body, from `open` until it is given back or ended: by failure, time or the signal. */
export class NfsLease {
  readonly #url: URL;
  readonly #reader: NfsReader;
  readonly #signal: AbortSignal;
  readonly #giveBack: (reader: NfsReader) => void;
  readonly #onAbort = (): void => this.end();
  /** Why we ended it, when the reader itself can say only that it was ended. */
  #reason: Error | undefined;

  constructor(url: URL, reader: NfsReader, signal: AbortSignal, giveBack: (reader: NfsReader) => void) {
    this.#url = url;
    this.#reader = reader;
    this.#signal = signal;
    this.#giveBack = giveBack;
    if (signal.aborted) this.end();
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @throws SlipwayError SLIPWAY_SOURCE_*; AbortError */
  async stat(timeoutMs: number): Promise<NfsStat> {
    const timer = setTimeout(() => this.end(nfsFailure(this.#url, { kind: 'timeout' })), timeoutMs);
    try {
      return await this.#run(() => this.#reader.stat());
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * @param silenceMs longest time without a byte that the sink would have taken
   * @throws SlipwayError SLIPWAY_SOURCE_*; what the sink threw; AbortError
   */
  async read(fromByte: number, endByte: number, sink: ByteSink, silenceMs: number): Promise<void> {
    const onSilence = (): void => this.end(transportFailure(this.#url, { code: 'SILENT_BODY' }));
    const watched = watchSink(sink, silenceMs, onSilence, (error) => this.end(error));
    try {
      await this.#run(() => this.#reader.read(fromByte, endByte, watched.sink));
    } finally {
      watched.stop();
    }
  }

  giveBack(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    if (this.#reader.isAlive) this.#giveBack(this.#reader);
  }

  end(reason?: Error): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#reason ??= reason;
    this.#reader.kill();
  }

  async #run<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      this.end();
      if (this.#signal.aborted) throw abortError(this.#signal);
      if (this.#reason) throw this.#reason;
      throw error instanceof NfsReaderError ? nfsFailure(this.#url, error.trouble) : error;
    }
  }
}
