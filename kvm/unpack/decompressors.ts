import { accessSync, constants, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { Compression } from '../../shared/images.js';

/**
 * What a file's header may make a decompressor set aside: the dictionaries of all xz presets and the windows of all zstd
 * levels fit (64 and 128 MiB); `zstd --long=28` and more does not. With the rest of the program it stays below 256 MiB.
 */
export const MAX_DICTIONARY_MIB = 192;

/** lbzip2 takes 21 MiB for each thread. xz takes fewer threads by itself when they would not fit. */
const MAX_THREADS = 8;

interface Decompressor {
  program: string;
  /** Of Debian. */
  package: string;
  args: string[];
  /** Leaves holes for zeros when its output is a file, and moves on in the file as it does. */
  isSparse: boolean;
}

/** Best first. */
function decompressorsOf(compression: Compression, threads: number): [Decompressor, ...Decompressor[]] {
  switch (compression) {
    case 'gzip':
    // Its member is handed on as a gzip file.
    case 'zip':
      return [
        // Without -v it says nothing of bytes after the end, and the rest of a truncated member is such.
        { program: 'pigz', package: 'pigz', args: ['-dcv'], isSparse: false },
        { program: 'gzip', package: 'gzip', args: ['-dcv'], isSparse: false },
      ];
    case 'bzip2':
      return [
        { program: 'lbzip2', package: 'lbzip2', args: ['-dc', '-n', String(threads)], isSparse: false },
        { program: 'bzip2', package: 'bzip2', args: ['-dc'], isSparse: false },
      ];
    case 'xz': {
      const args = ['-dc', `--threads=${threads}`, `--memlimit=${MAX_DICTIONARY_MIB}MiB`];
      // It leaves holes, but is silent of zeros until the next other byte: a bomb would not be seen growing.
      return [{ program: 'xz', package: 'xz-utils', args, isSparse: false }];
    }
    case 'zstd': {
      const args = ['-dcq', '--sparse', `--memory=${MAX_DICTIONARY_MIB}MB`];
      return [{ program: 'zstd', package: 'zstd', args, isSparse: true }];
    }
  }
}

/** Takes the output of one that is not sparse, and leaves holes of 64 KiB. */
const SPARSE_WRITER: Decompressor = {
  program: 'dd',
  package: 'coreutils',
  args: ['bs=64K', 'iflag=fullblock', 'conv=sparse', 'status=none'],
  isSparse: true,
};

/** A program that is there. */
export interface Tool {
  path: string;
  args: string[];
}

/** The last of them writes to a file. */
export type ToolChain = [decompressor: Tool] | [decompressor: Tool, writer: Tool];

/**
 * @param searchPath directories as in PATH
 * @throws SlipwayError SLIPWAY_UNPACK_TOOL
 */
export function findTools(compression: Compression, searchPath: string): ToolChain {
  const candidates = decompressorsOf(compression, Math.min(availableParallelism(), MAX_THREADS));
  const [decompressor, isSparse] = findFirst(candidates, searchPath, `unpack ${compression} files`);
  if (isSparse) return [decompressor];
  return [decompressor, findFirst([SPARSE_WRITER], searchPath, 'write sparse files')[0]];
}

function findFirst(
  candidates: [Decompressor, ...Decompressor[]],
  searchPath: string,
  purpose: string,
): [tool: Tool, isSparse: boolean] {
  for (const { program, args, isSparse } of candidates) {
    const path = findProgram(program, searchPath);
    if (path !== undefined) return [{ path, args }, isSparse];
  }
  const [best] = candidates;
  throw new SlipwayError(
    'SLIPWAY_UNPACK_TOOL',
    `${best.program} is not installed, without which this host cannot ${purpose}: install the package ${best.package}`,
  );
}

function findProgram(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .filter((directory) => directory.startsWith('/'))
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      } catch {
        return false;
      }
    });
}
