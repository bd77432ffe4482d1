import { join } from 'node:path';
import { contest, medianOf, secondsOf, table } from './contest.js';
import { aria2, needPrograms } from './peers.js';
import type { BenchOptions, BenchResult } from './result.js';
import { slipway } from './slipway.js';
import { withOrigin } from './start-origin.js';

const MIB = 1024 ** 2;
const RATES = [20, 40, 60, 80];

/** Four mirrors of different speeds, one connection to each. The ratio is the part that is used of what they bring together. */
export async function benchMirrors({ isQuick, rounds = 3 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('aria2c');
  const sizeBytes = (isQuick ? 400 : 1600) * MIB;
  const servers = RATES.map((rate) => ({ roundTripMs: 20, bytesPerSecond: rate * MIB }));
  const floorMs = (sizeBytes * 1000) / (RATES.reduce((sum, rate) => sum + rate, 0) * MIB);
  return withOrigin({ sizeBytes, servers }, async ({ urls, sha256, count }) => {
    const servedBytes: number[] = [];
    const times = await contest(
      {
        'aria2c, nothing verified': aria2(urls, {}),
        'aria2c --checksum': aria2(urls, { sha256 }),
        slipway: async (directory) => {
          await count();
          const { elapsedMs } = await slipway({ urls, sha256, sizeBytes, path: join(directory, 'slipway') });
          servedBytes.push((await count()).servedBytes);
          return elapsedMs;
        },
      },
      rounds,
    );
    const ratio = floorMs / medianOf(times, 'slipway');
    const servedTwice = Math.max(...servedBytes) / sizeBytes - 1;
    return {
      ratio,
      lines: [
        `${sizeBytes / MIB} MiB from four mirrors of ${RATES.join(', ')} MiB/s, to disk, synced; × their sum; median of ${rounds}`,
        ...table(times, floorMs),
        `slipway uses ${ratio.toFixed(3)} of the sum of the rates; ${(servedTwice * 100).toFixed(1)} % of the file was sent twice`,
      ],
      figures: { sizeBytes, floorSeconds: floorMs / 1000, secondsByName: secondsOf(times), servedTwice },
    };
  });
}
