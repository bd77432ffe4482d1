import fc from 'fast-check';
import { Bandwidth, RateLimit } from './bandwidth.js';

const BURST_MS = 100;

/** Lets transfers take chunks as soon as they may, until the clock shows `endMs`; answers the bytes taken. */
function run(limits: RateLimit[][], chunkBytes: number[], startMs: number, endMs: number): number {
  const readableAtMs = limits.map(() => startMs);
  let bytes = 0;
  for (let index = 0; ; index++) {
    const transfer = readableAtMs.indexOf(Math.min(...readableAtMs));
    const nowMs = readableAtMs[transfer] as number;
    if (nowMs >= endMs) return bytes;
    const chunk = chunkBytes[index % chunkBytes.length] as number;
    bytes += chunk;
    readableAtMs[transfer] = Math.max(nowMs, ...(limits[transfer] ?? []).map((limit) => limit.take(chunk, nowMs)));
  }
}

describe('a rate', () => {
  it('holds over time for all transfers together, whatever their chunks', () => {
    const transfers = fc.integer({ min: 1, max: 5 });
    const chunks = fc.array(fc.integer({ min: 16 * 1024, max: 256 * 1024 }), { minLength: 1, maxLength: 10 });
    const rates = fc.integer({ min: 1_000_000, max: 10 ** 8 });
    fc.assert(
      fc.property(transfers, chunks, rates, (count, chunkBytes, rate) => {
        const limit = new RateLimit(rate);
        const bytes = run(
          Array.from({ length: count }, () => [limit]),
          chunkBytes,
          1_000_000,
          1_005_000,
        );
        // A chunk of each transfer is there before anything counts it.
        const slack = (rate * BURST_MS) / 1000 + count * Math.max(...chunkBytes);
        expect(bytes).toBeGreaterThanOrEqual(5 * rate);
        expect(bytes).toBeLessThanOrEqual(5 * rate + slack);
      }),
      { numRuns: 50 },
    );
  });

  it('gives back no time that was not used', () => {
    const limit = new RateLimit(1_000_000);
    limit.take(1000, 0);
    expect(run([[limit]], [10_000], 3_600_000, 3_601_000)).toBeLessThanOrEqual(1_000_000 + 110_000);
  });

  it('that changes holds for transfers that run', () => {
    const bandwidth = new Bandwidth();
    const limits = bandwidth.limitsFor('pool', 'http://a.example');
    const chunks = [10_000];
    bandwidth.setCaps({ host: 0, pool: 1_000_000, origin: 0 });
    expect(run([limits], chunks, 0, 10_000) / 10).toBeCloseTo(1_000_000, -6);
    bandwidth.setCaps({ host: 4_000_000, pool: 0, origin: 2_000_000 });
    const [one, other] = [limits, bandwidth.limitsFor('other', 'http://b.example')];
    const both = run([one, other], chunks, 20_000, 30_000) / 10;
    expect(both).toBeGreaterThan(3_900_000);
    expect(both).toBeLessThan(4_100_000);
  });

  it('of 0 is none', () => {
    expect(new RateLimit(0).take(10 ** 12, 5)).toBe(5);
  });
});

describe('the rates of a host', () => {
  it('are not set back by a download that brings those of its begin once more', () => {
    const bandwidth = new Bandwidth();
    const begun = { host: 1000, pool: 0, origin: 0, asOfMs: 1 };
    bandwidth.setCaps(begun);
    const [host] = bandwidth.limitsFor('p', 'http://a.example');
    bandwidth.setCaps({ host: 0, pool: 0, origin: 0, asOfMs: 2 });
    bandwidth.setCaps(begun);
    expect(host!.bytesPerSecond).toBe(0);
  });

  it('are shared by pool and by origin', () => {
    const bandwidth = new Bandwidth();
    const [host, pool, origin] = bandwidth.limitsFor('p', 'http://a.example');
    expect(bandwidth.limitsFor('p', 'http://b.example').slice(0, 2)).toEqual([host, pool]);
    expect(bandwidth.limitsFor('p', 'http://a.example')[2]).toBe(origin);
    expect(bandwidth.limitsFor('q', 'http://b.example')[1]).not.toBe(pool);
    expect(bandwidth.limitsFor('p', 'http://b.example')[2]).not.toBe(origin);
  });
});
