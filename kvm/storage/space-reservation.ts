/**
 * Sets space aside for a download as soon as its size is known: most servers tell that with the first byte only. The
 * signal is aborted, with the reason, when there is not enough: at the end it would have been for nothing.
 */
export class SpaceReservation {
  readonly #reserve: (sizeBytes: number, signal: AbortSignal) => Promise<void>;
  readonly #refusal = new AbortController();
  readonly #end = new AbortController();
  #running: Promise<void> | undefined;

  constructor(reserve: (sizeBytes: number, signal: AbortSignal) => Promise<void>) {
    this.#reserve = reserve;
  }

  get signal(): AbortSignal {
    return this.#refusal.signal;
  }

  sizeIs(sizeBytes: number): void {
    this.#running ??= this.#reserve(sizeBytes, this.#end.signal).catch((error: unknown) => this.#refusal.abort(error));
  }

  /** The download has ended: what is not set aside by now is of no use, and works on a file that others take over. */
  async ended(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }
}
