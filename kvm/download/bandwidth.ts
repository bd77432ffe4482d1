/** Bytes that may come at once before the rate counts: a chunk must not have to be split. */
const BURST_MS = 100;

/** A rate that many transfers share, and that may change while they run. 0 is no limit. */
export class RateLimit {
  bytesPerSecond: number;
  /** When all that was taken is paid for. */
  #paidAtMs = 0;

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond;
  }

  /** Takes `bytes`, which have come already; answers when the next ones may be read. */
  take(bytes: number, nowMs: number): number {
    if (this.bytesPerSecond <= 0) return nowMs;
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - BURST_MS) + (bytes * 1000) / this.bytesPerSecond;
    return this.#paidAtMs;
  }
}

export interface BandwidthCaps {
  /** Bytes per second; 0 for no limit. */
  host: number;
  pool: number;
  origin: number;
  /** When they were read, by the clock of the database; missing where nobody tells of others. */
  asOfMs?: number;
}

/** The rates of one host: of all its downloads, of those to each pool, and of those from each server. */
export class Bandwidth {
  #caps: BandwidthCaps = { host: 0, pool: 0, origin: 0 };
  #asOfMs = 0;
  readonly #host = new RateLimit(0);
  readonly #pools = new Map<string, RateLimit>();
  readonly #origins = new Map<string, RateLimit>();

  /**
   * Holds at once, also for transfers that run. A download brings those of its begin with each of its tries: they are not
   * to undo what the host was told since.
   */
  setCaps(caps: BandwidthCaps): void {
    if (caps.asOfMs !== undefined && caps.asOfMs < this.#asOfMs) return;
    this.#asOfMs = caps.asOfMs ?? this.#asOfMs;
    this.#caps = caps;
    this.#host.bytesPerSecond = caps.host;
    for (const limit of this.#pools.values()) limit.bytesPerSecond = caps.pool;
    for (const limit of this.#origins.values()) limit.bytesPerSecond = caps.origin;
  }

  limitsFor(poolId: string, origin: string): RateLimit[] {
    return [
      this.#host,
      limitOf(this.#pools, poolId, this.#caps.pool),
      limitOf(this.#origins, origin, this.#caps.origin),
    ];
  }
}

function limitOf(limits: Map<string, RateLimit>, key: string, bytesPerSecond: number): RateLimit {
  const limit = limits.get(key) ?? new RateLimit(bytesPerSecond);
  limits.set(key, limit);
  return limit;
}
