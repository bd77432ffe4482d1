import { SpeedMeter } from './speed-meter.js';
import type { Mirror } from './mirror.js';
import type { Reader } from './range-plan.js';

/** What a transfer has to have lasted for its speed to say something. */
const MIN_MEASURED_MS = 5;

/** One connection to a mirror, and how fast it is. */
export class Lane implements Reader {
  readonly source: Mirror;
  /** What it brought may still have to go: the file is not complete before that is known. */
  isUndecided = false;
  readonly #meter: SpeedMeter;
  readonly #stop = new AbortController();
  #bytes = 0;
  #busySinceMs: number | undefined;

  constructor(source: Mirror, nowMs: number) {
    this.source = source;
    this.#meter = new SpeedMeter(0, nowMs);
  }

  get mirror(): Mirror {
    return this.source;
  }

  get bytesPerSecond(): number {
    return this.#meter.bytesPerSecond;
  }

  /** Aborts when others do its work. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get isBusy(): boolean {
    return this.#busySinceMs !== undefined;
  }

  busyMs(nowMs: number): number {
    return this.#busySinceMs === undefined ? 0 : nowMs - this.#busySinceMs;
  }

  begin(nowMs: number): void {
    this.#busySinceMs = nowMs;
    this.#meter.skipTo(nowMs);
  }

  end(nowMs: number): void {
    if (this.busyMs(nowMs) >= MIN_MEASURED_MS) this.#meter.update(this.#bytes, nowMs);
    this.#busySinceMs = undefined;
  }

  count(bytes: number): void {
    this.#bytes += bytes;
    this.source.bytes += bytes;
  }

  tick(nowMs: number): void {
    if (this.isBusy) this.#meter.update(this.#bytes, nowMs);
  }

  stop(): void {
    this.#stop.abort();
  }
}
