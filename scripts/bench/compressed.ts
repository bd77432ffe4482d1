import { join } from 'node:path';
import { bestOf, contest, inDirectory, medianOf, secondsOf, shell, table, timed } from './contest.js';
import { pack, PACKINGS, type Packing, sizeOf, writeImage } from './image.js';
import { curl, needPrograms } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { slipway } from './slipway.js';
import { withOrigin } from './start-origin.js';

const MIB = 1024 ** 2;

/**
 * A packed image: downloaded, verified, unpacked and synced. The ratio is to the slower of its stages alone, download
 * and unpacking, in the packing where it is worst.
 */
export async function benchCompressed({ isQuick, rounds = 3 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('curl', ...PACKINGS.map(({ packArgs: [program] }) => program));
  return inDirectory(async (directory) => {
    const imagePath = join(directory, 'image');
    await writeImage(imagePath, (isQuick ? 512 : 1600) * MIB);
    const results: BenchResult[] = [];
    for (const packing of PACKINGS) results.push(await unpack(packing, imagePath, rounds));
    return {
      ratio: Math.max(...results.map(({ ratio }) => ratio)),
      lines: results.flatMap(({ lines }) => lines),
      figures: { packings: results.map(({ ratio, figures }) => ({ ratio, ...figures })) },
    };
  });
}

async function unpack(packing: Packing, imagePath: string, rounds: number): Promise<BenchResult> {
  const { suffix, unpackArgs } = packing;
  const packedPath = await pack(imagePath, packing);
  const sizeBytes = await sizeOf(imagePath);
  const packedBytes = await sizeOf(packedPath);
  return withOrigin({ path: packedPath, servers: [{}] }, async ({ urls, sha256 }) => {
    const [url = ''] = urls;
    const startMs: number[] = [];
    const stages = {
      'curl, nothing verified': curl(url),
      [`${unpackArgs.join(' ')}, alone`]: (directory: string) =>
        timed(() => shell('"${@:3}" < "$1" > "$2"; sync "$2"', packedPath, join(directory, 'image'), ...unpackArgs)),
    };
    const times = await contest(
      {
        ...stages,
        'curl, then sha256sum, then unpack': (directory) =>
          timed(() =>
            shell(
              'curl -sSf -o "$1/packed" "$2"; sha256sum "$1/packed" | grep -q "$3"; "${@:4}" < "$1/packed" > "$1/image"; sync "$1/image"',
              directory,
              url,
              sha256,
              ...unpackArgs,
            ),
          ),
        slipway: async (directory) => {
          const path = join(directory, 'packed');
          const answer = await slipway({ urls, sha256, path, unpackedPath: join(directory, 'image') });
          startMs.push(answer.startMs);
          // What is fast and wrong must not count.
          await shell('cmp "$1" "$2"', imagePath, join(directory, 'image'));
          return answer.elapsedMs;
        },
      },
      rounds,
    );
    const slowestMs = Math.max(...Object.keys(stages).map((name) => medianOf(times, name)));
    return {
      ratio: bestOf(times, ['slipway']) / slowestMs,
      lines: [
        `.${suffix}: ${Math.round(packedBytes / MIB)} MiB for ${Math.round(sizeBytes / MIB)} MiB, to disk, synced; × the slowest stage alone; median of ${rounds}`,
        ...table(times, slowestMs),
        `not counted: ${Math.round(median(startMs))} ms to start and end the process of slipway`,
      ],
      figures: { suffix, sizeBytes, packedBytes, secondsByName: secondsOf(times) },
    };
  });
}
