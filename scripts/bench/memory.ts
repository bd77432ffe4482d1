import { join } from 'node:path';
import { inDirectory } from './contest.js';
import { pack, PACKINGS, writeImage } from './image.js';
import { needPrograms } from './peers.js';
import type { BenchOptions, BenchResult } from './result.js';
import { slipway, type SlipwayResult } from './slipway.js';
import { withOrigin } from './start-origin.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const MIRRORS = 4;

/** The largest memory that the process of a download has had, at several sizes. The ratio is of the largest file's to the smallest's. */
export async function benchMemory({ isQuick }: BenchOptions): Promise<BenchResult> {
  await needPrograms('zstd');
  const largest = new Map<string, number>();
  const note = (name: string, { maxMemoryBytes }: SlipwayResult): void => void largest.set(name, maxMemoryBytes);
  const sizes = isQuick ? [0.5, 1, 2] : [1, 4, 8];
  const [smallest = 1, middle = 1] = sizes;
  for (const size of sizes) {
    await withOrigin({ sizeBytes: size * GIB, servers: [{}] }, ({ urls, sha256 }) =>
      inDirectory(async (directory) =>
        note(`${size} GiB`, await slipway({ urls, sha256, path: join(directory, 'slipway') })),
      ),
    );
  }
  await inDirectory(async (directory) => {
    const imagePath = join(directory, 'image');
    await writeImage(imagePath, middle * GIB);
    const [zstd] = PACKINGS;
    if (!zstd) throw new Error('No packing is known');
    const path = await pack(imagePath, zstd);
    const servers = Array.from({ length: MIRRORS }, () => ({}));
    await withOrigin({ path, servers }, async ({ urls, sha256, sizeBytes }) =>
      note(
        `${middle} GiB in .zst, ${MIRRORS} mirrors`,
        await slipway({
          urls,
          sha256,
          sizeBytes,
          path: join(directory, 'packed'),
          unpackedPath: join(directory, 'unpacked'),
        }),
      ),
    );
  });
  const memoryOf = (size: number): number => largest.get(`${size} GiB`) ?? Number.NaN;
  return {
    ratio: memoryOf(sizes.at(-1) ?? 1) / memoryOf(smallest),
    lines: [
      'largest memory of the process of slipway',
      ...[...largest].map(
        ([name, bytes]) =>
          `${name.padEnd(34)}${Math.round(bytes / MIB)
            .toString()
            .padStart(8)} MiB`,
      ),
    ],
    figures: { maxMemoryBytes: Object.fromEntries(largest) },
  };
}
