import { statfsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import type * as downloadModule from '../../kvm/download/download.js';
import type { DownloadFile } from '../../kvm/download/download-file.js';
import type { GrowingFile } from '../../kvm/unpack/growing-file.js';
import type * as unpackModule from '../../kvm/unpack/unpack-while-growing.js';
import type { Unpacked } from '../../shared/images.js';
import { downloadSettings } from '../../shared/download-settings.js';
import { defaultSettings } from '../../shared/settings.js';

/** `download-once.ts <OnceOptions as JSON>`: one verified download with the built code, in a process of its own. */
export interface OnceOptions {
  /** Of the built code. */
  builtDirectory: string;
  urls: string[];
  path: string;
  sha256: string;
  sizeBytes?: number;
  /** To the server, which is then one of the operator's. */
  connections?: number;
  /** Where an unpacked image goes. */
  unpackedPath?: string;
  /** Whether to tell when the last byte was written and hashed; needs `sizeBytes`. */
  isHashTimed?: boolean;
}

export interface OnceResult {
  /** Without the start of the process. */
  elapsedMs: number;
  /** Of the process alone. */
  maxMemoryBytes: number;
  /** Of the process alone. */
  cpuSeconds: number;
  /** That the process sent to the disk, as the kernel counts. */
  writtenBytes: number;
  resumedFromBytes: number;
  /** When all bytes were, as `performance.timeOrigin + performance.now()` tells time. */
  writtenAtMs?: number;
  hashedAtMs?: number;
}

type Unpack = NonNullable<downloadModule.DownloadContext['unpack']>;

const now = (): number => performance.timeOrigin + performance.now();

/** A reader that only looks at how far disk and hash are, which it finds in what it is given. */
function stageTimer(sizeBytes: number, ends: Pick<OnceResult, 'writtenAtMs' | 'hashedAtMs'>): Unpack {
  return async (growing: GrowingFile, signal) => {
    const file = growing as DownloadFile;
    while (file.readyBytes < sizeBytes && !signal.aborted) {
      await file.whenChanged();
      if (file.writtenBytes === sizeBytes) ends.writtenAtMs ??= now();
      if (file.hashedBytes === sizeBytes) ends.hashedAtMs ??= now();
    }
    return undefined;
  };
}

const unpackTo =
  ({ unpackWhileGrowing }: typeof unpackModule, outputPath: string): Unpack =>
  async (input, signal, onProgress): Promise<Unpacked | undefined> => {
    const { bavail, bsize } = statfsSync(dirname(outputPath));
    return unpackWhileGrowing({ input, outputPath, limits: { maxOutputBytes: bavail * bsize }, signal, onProgress });
  };

/** A number that the kernel counts for this process alone (proc(5)). */
async function countOf(file: 'io' | 'status', line: RegExp): Promise<number> {
  return Number(line.exec(await readFile(`/proc/self/${file}`, 'latin1'))?.[1]);
}

async function main(options: OnceOptions): Promise<void> {
  const { builtDirectory, urls, path, sha256, sizeBytes, connections, unpackedPath, isHashTimed } = options;
  const load = async (name: string): Promise<unknown> => import(pathToFileURL(join(builtDirectory, name)).href);
  const { download } = (await load('kvm/download/download.js')) as typeof downloadModule;
  let unpack: Unpack | undefined;
  const ends: Pick<OnceResult, 'writtenAtMs' | 'hashedAtMs'> = {};
  if (unpackedPath !== undefined) {
    unpack = unpackTo((await load('kvm/unpack/unpack-while-growing.js')) as typeof unpackModule, unpackedPath);
  } else if (isHashTimed) {
    unpack = stageTimer(sizeBytes ?? Number.NaN, ends);
  }
  const before = process.resourceUsage();
  const startedMs = performance.now();
  const { digests, resumedFromBytes } = await download(
    {
      sources: urls,
      partialPath: path,
      expectedSizeBytes: sizeBytes,
      hasVouchedDigest: true,
      algorithms: ['SHA-256'],
      settings: {
        ...downloadSettings(defaultSettings()),
        allowedInternalCidrs: ['127.0.0.0/8'],
        maxSizeBytes: Number.MAX_SAFE_INTEGER,
        ...(connections === undefined ? {} : { ownServers: ['127.0.0.1'], ownServerConnections: connections }),
      },
    },
    { signal: new AbortController().signal, unpack },
  );
  const elapsedMs = performance.now() - startedMs;
  if (digests[0]?.value !== sha256) throw new Error('The digest is wrong');
  const after = process.resourceUsage();
  const cpuMicroseconds = after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime;
  const result: OnceResult = {
    elapsedMs,
    // maxRSS would be that of the benchmark itself, when that is more: Linux hands it on to a child.
    maxMemoryBytes: (await countOf('status', /^VmHWM:\s+(\d+) kB$/m)) * 1024,
    cpuSeconds: cpuMicroseconds / 1e6,
    writtenBytes: await countOf('io', /^write_bytes: (\d+)/m),
    resumedFromBytes,
    ...ends,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

await main(JSON.parse(process.argv[2] ?? '{}') as OnceOptions);
