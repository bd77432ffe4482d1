import { createWriteStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run, shell } from './contest.js';

const CHUNK_BYTES = 1024 * 1024;
/** One of so many chunks is nothing but zeros. */
const ZERO_EVERY = 4;

/**
 * Writes something like a disk image: the programs, libraries and documents of this machine one after the other, with
 * runs of zeros between them.
 */
export async function writeImage(path: string, sizeBytes: number): Promise<void> {
  await pipeline(chunks(sizeBytes), createWriteStream(path));
}

async function* chunks(sizeBytes: number): AsyncGenerator<Buffer> {
  let rest = sizeBytes;
  for (let index = 0; ;) {
    for await (const data of filesBelow('/usr')) {
      const chunk = index++ % ZERO_EVERY === 0 ? Buffer.alloc(CHUNK_BYTES) : data;
      yield chunk.subarray(0, Math.min(chunk.length, rest));
      rest -= Math.min(chunk.length, rest);
      if (rest === 0) return;
    }
  }
}

/** The contents of files, in chunks of one length. */
async function* filesBelow(directory: string): AsyncGenerator<Buffer> {
  let chunk = Buffer.alloc(CHUNK_BYTES);
  let length = 0;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = await open(join(entry.parentPath, entry.name), 'r');
    try {
      for (;;) {
        const { bytesRead } = await file.read(chunk, length, chunk.length - length, null);
        if (bytesRead === 0) break;
        length += bytesRead;
        if (length < chunk.length) continue;
        yield chunk;
        chunk = Buffer.alloc(CHUNK_BYTES);
        length = 0;
      }
    } finally {
      await file.close();
    }
  }
}

/** A way to pack an image, and what people unpack it with: on all cores where a tool can. */
export interface Packing {
  suffix: string;
  packArgs: [program: string, ...args: string[]];
  unpackArgs: [program: string, ...args: string[]];
}

export const PACKINGS: Packing[] = [
  { suffix: 'zst', packArgs: ['zstd', '-qc', '-T0'], unpackArgs: ['zstd', '-dqc'] },
  { suffix: 'gz', packArgs: ['pigz', '-c'], unpackArgs: ['pigz', '-dc'] },
  // Of several blocks, as `xz -T` and most who publish images make them: only those can be unpacked on several cores.
  { suffix: 'xz', packArgs: ['xz', '-1', '-c', '-T0', '--block-size=16MiB'], unpackArgs: ['xz', '-dc', '-T0'] },
  { suffix: 'bz2', packArgs: ['lbzip2', '-c'], unpackArgs: ['lbzip2', '-dc'] },
];

export async function pack(imagePath: string, { suffix, packArgs }: Packing): Promise<string> {
  const path = `${imagePath}.${suffix}`;
  await shell('"${@:3}" < "$1" > "$2"', imagePath, path, ...packArgs);
  return path;
}

export async function sizeOf(path: string): Promise<number> {
  return Number((await run('stat', ['-c', '%s', path])).stdout);
}
