import { join } from 'node:path';
import { bestOf, contest, medianOf, secondsOf, table } from './contest.js';
import { aria2, curl, curlThenSha256sum, needPrograms } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { slipway } from './slipway.js';
import { withOrigin } from './start-origin.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

/** A large file from one server over one connection. The ratio is to curl, which verifies nothing. */
export async function benchDownload({ isQuick, rounds = 3 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('curl', 'aria2c', 'sha256sum');
  const sizeBytes = (isQuick ? 2 : 8) * GIB;
  return withOrigin({ sizeBytes, servers: [{}] }, async ({ urls, sha256 }) => {
    const [url = ''] = urls;
    const memoryBytes: number[] = [];
    const startMs: number[] = [];
    const times = await contest(
      {
        curl: curl(url),
        slipway: async (directory) => {
          const answer = await slipway({ urls, sha256, path: join(directory, 'slipway') });
          memoryBytes.push(answer.maxMemoryBytes);
          startMs.push(answer.startMs);
          return answer.elapsedMs;
        },
        'curl, then sha256sum': curlThenSha256sum(url, sha256),
        'aria2c --checksum': aria2(urls, { sha256 }),
      },
      rounds,
    );
    const floorMs = medianOf(times, 'curl');
    return {
      ratio: bestOf(times, ['slipway']) / floorMs,
      lines: [
        `${sizeBytes / GIB} GiB over HTTP to disk, synced; all but plain curl with SHA-256 verified; median of ${rounds}`,
        ...table(times, floorMs),
        `memory of slipway at most ${Math.round(Math.max(...memoryBytes) / MIB)} MiB; not counted: ${Math.round(median(startMs))} ms to start and end its process`,
      ],
      figures: { sizeBytes, secondsByName: secondsOf(times) },
    };
  });
}
