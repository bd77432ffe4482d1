import { onPool } from '../../kvm/storage/pool-error.js';
import { reserveSpace } from '../../kvm/storage/reserve-space.js';

/**
 * Sets space aside for a download as soon as its size is known, where the file system can. The signal aborts, with the
 * reason, when there is not enough: at the end it would have been for nothing.
 */
export class SpaceGuard {
  readonly #directory: string;
  readonly #partialPath: string;
  readonly #refusal = new AbortController();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;

  constructor(directory: string, partialPath: string) {
    this.#directory = directory;
    this.#partialPath = partialPath;
  }

  get signal(): AbortSignal {
    return this.#refusal.signal;
  }

  sizeIs(sizeBytes: number): void {
    this.#running ??= onPool(this.#directory, `set ${sizeBytes} bytes aside`, () =>
      reserveSpace(this.#partialPath, sizeBytes, this.#end.signal),
    ).catch((error: unknown) => this.#refusal.abort(error));
  }

  /** The download has ended: what is not set aside by now is of no use, and works on a file that is moved or removed. */
  async ended(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }
}
