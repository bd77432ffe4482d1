import type { FilesystemPool } from '../../kvm/storage/filesystem-pool.js';
import type { TemplateCopyRef } from '../../shared/templates.js';

/**
 * Sets space aside for a download as soon as its size is known: most servers tell that with the first byte only. The
 * signal is aborted, with the reason, when the pool has not enough: at the end it would have been for nothing.
 */
export class SpaceReservation {
  readonly #pool: FilesystemPool;
  readonly #copy: TemplateCopyRef;
  readonly #refusal = new AbortController();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;

  constructor(pool: FilesystemPool, copy: TemplateCopyRef) {
    this.#pool = pool;
    this.#copy = copy;
  }

  get signal(): AbortSignal {
    return this.#refusal.signal;
  }

  sizeIs(sizeBytes: number): void {
    this.#running ??= this.#pool
      .reserveSpaceFor(this.#copy, sizeBytes, this.#end.signal)
      .catch((error: unknown) => this.#refusal.abort(error));
  }

  /** The download has ended: what is not set aside by now is of no use, and works on a file that others take over. */
  async ended(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }
}
