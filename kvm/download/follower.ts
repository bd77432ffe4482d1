import { failoverOf, isSlipwayError, type SlipwayError } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import type { Unpacked } from '../../shared/images.js';
import type { GrowingFile } from '../unpack/growing-file.js';

type Unpack = (
  file: GrowingFile,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
) => Promise<Unpacked | undefined>;

/** Whether the bytes are to blame, and not this host. */
export const isOfBytes = (error: unknown): error is SlipwayError =>
  isSlipwayError(error) && failoverOf(error.code) === 'otherBytes';

/** The reader of a growing file. It begins anew when the bytes are thrown away. */
export class Follower {
  readonly #unpack: Unpack | undefined;
  readonly #file: GrowingFile;
  readonly #signal: AbortSignal;
  readonly #onFailure: (error: unknown) => void;
  /** Ends of the pauses so far. */
  #pauses: Promise<void> = Promise.resolve();
  #stop = new AbortController();
  #running: Promise<Unpacked | undefined> = Promise.resolve(undefined);
  /** Of what comes out. */
  bytes = 0;

  constructor(unpack: Unpack | undefined, file: GrowingFile, signal: AbortSignal, onFailure: (error: unknown) => void) {
    this.#unpack = unpack;
    this.#file = file;
    this.#signal = signal;
    this.#onFailure = onFailure;
  }

  start(): void {
    if (!this.#unpack) return;
    const stop = new AbortController();
    this.#stop = stop;
    this.bytes = 0;
    // It may be far behind the download, and has to end with it all the same.
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    this.#running = this.#unpack(this.#file, signal, (bytes) => (this.bytes = bytes));
    this.#running.catch((error: unknown) => {
      if (!signal.aborted) this.#onFailure(error);
    });
  }

  /** Lets the file lose bytes, and begins anew. Pauses follow one another: each would start a reader of its own. */
  pauseFor(act: () => Promise<void>): Promise<void> {
    const pause = async (): Promise<void> => {
      await this.stop();
      await act();
      this.start();
    };
    const paused = this.#pauses.then(pause);
    this.#pauses = paused.catch(() => undefined);
    return paused;
  }

  /** @returns what came out, or why nothing can come out of these bytes */
  async result(): Promise<{ unpacked?: Unpacked | undefined; unpackFailure?: Failure | undefined }> {
    try {
      return { unpacked: await this.#running };
    } catch (error) {
      if (!isOfBytes(error)) throw error;
      return { unpackFailure: { code: error.code, message: error.message } };
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running.catch(() => undefined);
  }
}
