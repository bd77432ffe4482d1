import { spawn } from 'node:child_process';

/** Limits of one run. QEMU needs little to read a header; what asks for more is an attack or a defect. */
const MAX_CPU_SECONDS = 60;
/** Address space, not memory: up to 64 threads, each with 8 MiB set aside for its stack, have to fit when it is busy. */
const MAX_ADDRESS_SPACE_BYTES = 2 * 1024 ** 3;
const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_OUTPUT_BYTES = 1024 ** 2;

export interface QemuImgOptions {
  timeoutMs?: number;
  /** Handed to the program as `/proc/self/fd/3`. */
  fileDescriptor?: number;
  /** Runs as this user and group instead of our own. */
  uid?: number;
}

/** What `qemu-img` itself said of a file, or that it crashed on it. */
export class QemuImgFailure extends Error {
  override readonly name = 'QemuImgFailure';
}

/** Of prlimit: the program could not be run. */
const CANNOT_RUN = new Set([126, 127]);

/**
 * Runs `qemu-img` under limits on CPU time and memory.
 *
 * @returns its standard output
 * @throws QemuImgFailure with the first line it wrote to standard error; any other Error when it could not be run, or
 * was ended from outside, which says nothing about the file
 */
export async function runQemuImg(args: readonly string[], options: QemuImgOptions = {}): Promise<string> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, fileDescriptor, uid } = options;
  const child = spawn(
    'prlimit',
    [`--cpu=${MAX_CPU_SECONDS}`, `--as=${MAX_ADDRESS_SPACE_BYTES}`, '--', 'qemu-img', ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe', ...(fileDescriptor === undefined ? [] : [fileDescriptor])],
      // glibc sets 64 MiB of address space aside for each arena, of which there may be eight for each processor.
      env: { PATH: process.env['PATH'], LC_ALL: 'C', MALLOC_ARENA_MAX: '2' },
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      ...(uid === undefined ? {} : { uid, gid: uid }),
    },
  );
  const output = { stdout: '', stderr: '' };
  let isChattering = false;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      // A hostile file that makes the tool chatter must not fill our memory.
      if (output[name].length <= MAX_OUTPUT_BYTES) return;
      isChattering = true;
      child.kill('SIGKILL');
    });
  }
  const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, exitSignal) => resolve({ code: exitCode, signal: exitSignal }));
    },
  ).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Error('prlimit (util-linux) is not installed', { cause: error }) : error;
  });
  if (code === 0) return output.stdout;
  const firstLine = output.stderr.split('\n')[0]?.replace(/^(qemu-img|prlimit): /, '');
  const message = firstLine || `qemu-img was ended by ${signal ?? `exit code ${code}`}`;
  const isOfHost = code === null ? signal === 'SIGKILL' && !isChattering : CANNOT_RUN.has(code);
  throw isOfHost ? new Error(message) : new QemuImgFailure(message);
}
