import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { contest, medianOf, secondsOf, table, type Contender } from './contest.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { slipway, startSlipway } from './slipway.js';
import { type Origin, withOrigin } from './start-origin.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const LOOK_MS = 2;

/** Of the whole file: after so much the process is killed. */
const KILLS = [0.5, 0.9];

/** The process of a download is killed, and another one goes on. The ratio is of its time to that of a whole download. */
export async function benchResume({ isQuick, rounds = 3 }: BenchOptions): Promise<BenchResult> {
  const sizeBytes = (isQuick ? 1 : 4) * GIB;
  return withOrigin({ sizeBytes, servers: [{}] }, async (origin) => {
    const { urls, sha256 } = origin;
    const againBytes = new Map<string, number[]>();
    const name = (part: number): string => `slipway, killed at ${part * 100} %`;
    const resumed =
      (part: number): Contender =>
      async (directory) => {
        const path = join(directory, 'slipway');
        await killAt(part * sizeBytes, path, origin);
        const { elapsedMs, resumedFromBytes } = await slipway({ urls, sha256, path });
        const known = againBytes.get(name(part)) ?? [];
        againBytes.set(name(part), [...known, part * sizeBytes - resumedFromBytes]);
        return elapsedMs;
      };
    const times = await contest(
      {
        'slipway, the whole': async (directory) =>
          (await slipway({ urls, sha256, path: join(directory, 'slipway') })).elapsedMs,
        ...Object.fromEntries(KILLS.map((part) => [name(part), resumed(part)])),
      },
      rounds,
    );
    const wholeMs = medianOf(times, 'slipway, the whole');
    const again = Object.fromEntries([...againBytes].map(([key, values]) => [key, median(values)]));
    return {
      ratio: medianOf(times, name(0.5)) / wholeMs,
      lines: [
        `${sizeBytes / GIB} GiB over HTTP to disk, verified and synced, the process killed and started again; median of ${rounds}`,
        ...table(times, wholeMs),
        ...Object.entries(again).map(([key, bytes]) => `${key}: ${Math.round(bytes / MIB)} MiB came a second time`),
      ],
      figures: { sizeBytes, secondsByName: secondsOf(times), againBytes: again },
    };
  });
}

async function killAt(bytes: number, path: string, { urls, sha256, count }: Origin): Promise<void> {
  await count();
  const { child, result } = startSlipway({ urls, sha256, path });
  const ended = result.catch(() => undefined);
  for (let served = 0; served < bytes; served += (await count()).servedBytes) await sleep(LOOK_MS);
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  await ended;
}
