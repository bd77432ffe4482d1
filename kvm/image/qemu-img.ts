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

/** Of prlimit and setpriv: the program could not be run. */
const CANNOT_RUN = new Set([126, 127]);
/** A line by which the guards, or `qemu-img` that may not open the file, say that the file is not the trouble. */
const OF_THE_HOST = /^(prlimit|setpriv|bwrap): |^qemu-img: Could not open .*: Permission denied$/;

async function outputOf(child: ChildProcess, timeoutMs: number): Promise<string> {
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
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
