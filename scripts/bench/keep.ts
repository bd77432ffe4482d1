import { join } from 'node:path';
import { bestOf, contest, medianOf, secondsOf, table } from './contest.js';
import { aria2, curl, curlThenOpenssl, needPrograms, opensslInPipe } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { slipway } from './slipway.js';
import { withOrigin } from './start-origin.js';

/** Lengths of a usual cloud image, as it is and with its clusters compressed. */
const PLAIN_BYTES = 1.6e9;
const COMPRESSED_BYTES = 0.62e9;
const CONNECTIONS = 4;

/**
 * A qcow2 that is kept as it is, verified and synced, from a server of the operator's own. The ratio is to the fastest
 * of the peers that verify, in the size where it is worse.
 */
export async function benchKeep({ isQuick, rounds = 5 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('curl', 'aria2c', 'openssl');
  const results: { ratio: number; lines: string[]; figures: Record<string, unknown> }[] = [];
  for (const sizeBytes of isQuick ? [COMPRESSED_BYTES] : [PLAIN_BYTES, COMPRESSED_BYTES]) {
    results.push(await keep(sizeBytes, rounds));
  }
  return {
    ratio: Math.max(...results.map(({ ratio }) => ratio)),
    lines: results.flatMap(({ lines }) => lines),
    figures: { sizes: results.map(({ figures }) => figures) },
  };
}

function keep(sizeBytes: number, rounds: number): Promise<BenchResult> {
  return withOrigin({ sizeBytes, servers: [{}] }, async ({ urls, sha256 }) => {
    const [url = ''] = urls;
    const startMs: number[] = [];
    const ours =
      (connections: number) =>
      async (directory: string): Promise<number> => {
        const answer = await slipway({ urls, sha256, connections, path: join(directory, 'slipway') });
        startMs.push(answer.startMs);
        return answer.elapsedMs;
      };
    const peers = {
      'curl, then openssl': curlThenOpenssl(url, sha256),
      'curl | tee | openssl': opensslInPipe(url, sha256),
      'aria2c -x16 --checksum': aria2(urls, { connections: 16, sha256 }),
    };
    const times = await contest(
      {
        'curl, nothing verified': curl(url),
        ...peers,
        slipway: ours(1),
        [`slipway, ${CONNECTIONS} connections`]: ours(CONNECTIONS),
      },
      rounds,
    );
    const bestMs = bestOf(times, Object.keys(peers));
    return {
      ratio: medianOf(times, 'slipway') / bestMs,
      lines: [
        `${sizeBytes / 1e9} GB over HTTP to disk, verified and synced; × the best peer that verifies; median of ${rounds}`,
        ...table(times, bestMs),
        `not counted: ${Math.round(median(startMs))} ms to start and end the process of slipway`,
      ],
      figures: { sizeBytes, secondsByName: secondsOf(times) },
    };
  });
}
