import { spawn, type ChildProcess } from 'node:child_process';
import { endedBy } from '../confined/ended-by.js';
import { spawnConfined } from '../confined/spawn-confined.js';

const MIB = 1024 ** 2;

/** Limits of one run on a stranger's file. QEMU needs little to read a header; what asks for more is an attack. */
const STRANGER = { cpuSeconds: 5, addressSpaceBytes: 256 * MIB };
/** A thread's stack is as large as the limit of stacks: 64 threads of 8 MiB would not fit into the address space. */
const STACK_BYTES = MIB;

/** Limits of one run on our own files, and address space for 64 threads with stacks of 8 MiB. */
const OURS = { cpuSeconds: 60, addressSpaceBytes: 2048 * MIB };
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_CHARACTERS = MIB;

/** What `qemu-img` itself said of a file, or that it crashed on it. */
export class QemuImgFailure extends Error {
  override readonly name = 'QemuImgFailure';
}

/**
 * Runs `qemu-img` on our own files, under limits on CPU time and memory. Never for a file that has not been inspected:
 * it runs with our rights.
 *
 * @returns its standard output
 * @throws QemuImgFailure with the first line it wrote to standard error; any other Error when it could not be run, or
 * was ended from outside, which says nothing about the file
 */
export function runQemuImg(args: readonly string[], { timeoutMs = DEFAULT_TIMEOUT_MS } = {}): Promise<string> {
  const child = spawn(
    'prlimit',
    [`--cpu=${OURS.cpuSeconds}`, `--as=${OURS.addressSpaceBytes}`, '--', 'qemu-img', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      // glibc sets 64 MiB of address space aside for each arena, of which there may be eight for each processor.
      env: { PATH: process.env['PATH'], LC_ALL: 'C', MALLOC_ARENA_MAX: '2' },
    },
  );
  return outputOf(child, timeoutMs);
}

export interface StrangersFile {
  fileDescriptor: number;
  /** Whether nobody may open the file: it is then read with our user id, and still without privileges. */
  isPrivate: boolean;
}

/**
 * Runs `qemu-img` confined on a file that may be hostile, which it has as `/proc/self/fd/3`: the very file that was
 * looked at before, whatever its name stands for by now, below whatever directories.
 *
 * @returns as `runQemuImg`
 * @throws as `runQemuImg`
 */
export function readWithQemuImg(
  args: readonly string[],
  { fileDescriptor, isPrivate }: StrangersFile,
): Promise<string> {
  const child = spawnConfined('prlimit', [`--stack=${STACK_BYTES}`, '--', 'qemu-img', ...args], {
    stdio: ['ignore', 'pipe', 'pipe', fileDescriptor],
    hasNetwork: false,
    keepsUserId: isPrivate,
    maxCpuSeconds: STRANGER.cpuSeconds,
    maxAddressSpaceBytes: STRANGER.addressSpaceBytes,
    maxFileBytes: 0,
    env: { MALLOC_ARENA_MAX: '1' },
  });
  return outputOf(child, DEFAULT_TIMEOUT_MS);
}

/** Beside a fixed share, for each MiB of a disk: no decompression is as slow, and none goes on for ever. */
const COPY_CPU_SECONDS_PER_MIB = 0.1;

export interface ImageCopy {
  /** Descriptor of an image without backing file. */
  source: number;
  sourceFormat: 'qcow2' | 'raw';
  /** Descriptor of an empty qcow2 file, at least as large as the source, that the user `nobody` may write. */
  target: number;
  targetSizeBytes: number;
  signal?: AbortSignal | undefined;
}

/**
 * Runs `qemu-img` confined to copy what may be hostile into a qcow2 file of our own.
 *
 * @throws as `runQemuImg`; the signal's reason when it ended it
 */
export async function copyWithQemuImg(copy: ImageCopy): Promise<void> {
  const { source, sourceFormat, target, targetSizeBytes, signal } = copy;
  signal?.throwIfAborted();
  const formats = ['-f', sourceFormat, '-O', 'qcow2'];
  const child = spawnConfined(
    'qemu-img',
    ['convert', '-n', '--target-is-zero', ...formats, '/proc/self/fd/3', '/proc/self/fd/4'],
    {
      stdio: ['ignore', 'pipe', 'pipe', source, target],
      hasNetwork: false,
      maxCpuSeconds: OURS.cpuSeconds + Math.ceil((targetSizeBytes / MIB) * COPY_CPU_SECONDS_PER_MIB),
      maxAddressSpaceBytes: OURS.addressSpaceBytes,
      // Its tables are less than a thousandth of a disk.
      maxFileBytes: Math.ceil(targetSizeBytes * 1.001) + MIB,
      env: { MALLOC_ARENA_MAX: '2' },
    },
  );
  const stop = (): unknown => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop);
  try {
    await outputOf(child);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Of prlimit and setpriv: the program could not be run. */
const CANNOT_RUN = new Set([126, 127]);
/** A line by which the guards, or `qemu-img` that may not open the file, say that the file is not the trouble. */
const OF_THE_HOST = /^(prlimit|setpriv|bwrap): |^qemu-img: Could not open .*: Permission denied$/;

async function outputOf(child: ChildProcess, timeoutMs?: number): Promise<string> {
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const output = { stdout: '', stderr: '' };
  let isChattering = false;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      // A hostile file that makes the tool chatter must not fill our memory.
      if (output[name].length <= MAX_OUTPUT_CHARACTERS) return;
      isChattering = true;
      child.kill('SIGKILL');
    });
  }
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | undefined }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, exitSignal) => resolve({ code: exitCode, signal: endedBy(exitCode, exitSignal) }));
    },
  )
    .catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new Error('prlimit (util-linux) is not installed', { cause: error }) : error;
    })
    .finally(() => clearTimeout(timer));
  if (code === 0) return output.stdout;
  const firstLine = output.stderr.split('\n')[0] ?? '';
  const message = firstLine.replace(/^qemu-img: /, '') || `qemu-img was ended by ${signal ?? `exit code ${code}`}`;
  const isOfHost =
    OF_THE_HOST.test(firstLine) ||
    (signal === undefined ? CANNOT_RUN.has(code ?? 0) : signal === 'SIGKILL' && !isChattering);
  throw isOfHost ? new Error(message) : new QemuImgFailure(message);
}
