import { join } from 'node:path';
import { contest, medianOf, secondsOf, table } from './contest.js';
import { aria2, curl, needPrograms } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { slipway } from './slipway.js';
import { withOrigin } from './start-origin.js';

const MIB = 1024 ** 2;
const SIZE_BYTES = 0.62e9;
const FAR = { roundTripMs: 20, bytesPerSecond: 50 * MIB };
const CONNECTIONS = 16;

/**
 * Servers that are far away: each answer takes 20 ms, each connection brings 50 MiB/s. The ratio is to aria2 with 16
 * connections, which verifies nothing.
 */
export async function benchFar({ rounds = 3 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('curl', 'aria2c');
  return withOrigin({ sizeBytes: SIZE_BYTES, servers: [FAR, FAR] }, async ({ urls, sha256, count }) => {
    const one = urls.slice(0, 1);
    const [url = ''] = one;
    const hashLagsMs: number[] = [];
    const sentLagsMs: number[] = [];
    const ours =
      (sources: string[], connections?: number) =>
      async (directory: string): Promise<number> => {
        const {
          elapsedMs,
          writtenAtMs = Number.NaN,
          hashedAtMs = Number.NaN,
        } = await slipway({
          urls: sources,
          sha256,
          connections,
          sizeBytes: SIZE_BYTES,
          isHashTimed: true,
          path: join(directory, 'slipway'),
        });
        hashLagsMs.push(Math.max(0, hashedAtMs - writtenAtMs));
        sentLagsMs.push(hashedAtMs - (await count()).lastByteAtMs);
        return elapsedMs;
      };
    const times = await contest(
      {
        'curl, nothing verified': curl(url),
        'aria2c -x16, nothing verified': aria2(one, { connections: CONNECTIONS }),
        'aria2c -x16 --checksum': aria2(one, { connections: CONNECTIONS, sha256 }),
        'aria2c, 2 mirrors, nothing verified': aria2(urls, {}),
        slipway: ours(one),
        'slipway, 16 connections': ours(one, CONNECTIONS),
        'slipway, 2 mirrors': ours(urls),
      },
      rounds,
    );
    const floorMs = medianOf(times, 'aria2c -x16, nothing verified');
    const speedToAria2 = floorMs / medianOf(times, 'slipway, 16 connections');
    const gainOfSecondMirror = medianOf(times, 'slipway') / medianOf(times, 'slipway, 2 mirrors');
    const hashLagMs = median(hashLagsMs);
    return {
      ratio: speedToAria2,
      lines: [
        `0.62 GB from servers 20 ms away, 50 MiB/s a connection, to disk, synced; median of ${rounds}`,
        ...table(times, floorMs),
        `slipway's speed is ${speedToAria2.toFixed(2)} of aria2c -x16's; two mirrors are ${gainOfSecondMirror.toFixed(2)} times as fast as one`,
        `hash done ${hashLagMs.toFixed(0)} ms after the last byte was written, at most ${Math.max(...hashLagsMs).toFixed(0)} ms; ${median(sentLagsMs).toFixed(0)} ms after it left the server`,
      ],
      figures: {
        sizeBytes: SIZE_BYTES,
        secondsByName: secondsOf(times),
        gainOfSecondMirror,
        hashLagMs,
        hashLagBehindServerMs: median(sentLagsMs),
        maxHashLagMs: Math.max(...hashLagsMs),
      },
    };
  });
}
