/** Long enough to even out bursts, short enough to show a mirror that got slow. */
const HALF_LIFE_MS = 2_000;

/** Speed of a byte counter, smoothed exponentially. Times in milliseconds of one steady clock. */
export class SpeedMeter {
  #bytes: number;
  #atMs: number;
  #bytesPerSecond: number | undefined;

  constructor(bytes: number, nowMs: number) {
    this.#bytes = bytes;
    this.#atMs = nowMs;
  }

  /** Bytes per second, whole; 0 before the first update. */
  get bytesPerSecond(): number {
    return Math.round(this.#bytesPerSecond ?? 0);
  }

  update(bytes: number, nowMs: number): number {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs > 0) {
      // Dropped bytes are no negative speed.
      const current = (Math.max(0, bytes - this.#bytes) * 1000) / elapsedMs;
      const weight = 0.5 ** (elapsedMs / HALF_LIFE_MS);
      this.#bytesPerSecond =
        this.#bytesPerSecond === undefined ? current : this.#bytesPerSecond * weight + current * (1 - weight);
      this.#bytes = bytes;
      this.#atMs = nowMs;
    }
    return this.bytesPerSecond;
  }

  /** Time that passed without work does not count. */
  skipTo(nowMs: number): void {
    this.#atMs = nowMs;
  }
}
