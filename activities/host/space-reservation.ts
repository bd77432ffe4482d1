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
      .reserveSpaceFor(this.#copy, sizeBytes)
      .catch((error: unknown) => this.#refusal.abort(error));
  }

  /** It works on the file of the download, which must not be installed or discarded meanwhile. */
  async ended(): Promise<void> {
    await this.#running;
  }
}
