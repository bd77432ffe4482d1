import type { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { SlipwayError } from '../../shared/errors.js';
import { endedBy } from '../confined/ended-by.js';
import type { Confinement, SpawnConfined } from '../confined/spawn-confined.js';
import type { ToolChain } from './decompressors.js';

/** Address space, not memory: the stacks of all threads and what glibc sets aside have to fit as well. */
const MAX_ADDRESS_SPACE_BYTES = 1024 ** 3;

/** The slowest of them, bzip2, makes five times as much in a second. */
const MIN_OUTPUT_BYTES_PER_CPU_SECOND = 1e6;
const MIN_CPU_SECONDS = 60;

/** More than the first line has. */
const MAX_KEPT_TEXT = 4096;

/** How a program ended. */
export interface ToolOutcome {
  program: string;
  code: number | null;
  signal: NodeJS.Signals | undefined;
  /** The beginning of what it wrote to standard error. */
  text: string;
}

interface RunningTools {
  /** Of the decompressor. */
  stdin: Writable;
  /** All of them, in order. Rejects when a program could not be started at all; the others are killed then. */
  ended: Promise<ToolOutcome[]>;
  kill(): void;
}

/** Starts confined programs, each reading what the one before it writes, the last writing to `outputFd`. */
export function startTools(
  tools: ToolChain,
  outputFd: number,
  maxOutputBytes: number,
  spawn: SpawnConfined,
): RunningTools {
  const limits: Omit<Confinement, 'stdio'> = {
    hasNetwork: false,
    maxCpuSeconds: MIN_CPU_SECONDS + Math.ceil(maxOutputBytes / MIN_OUTPUT_BYTES_PER_CPU_SECOND),
    maxAddressSpaceBytes: MAX_ADDRESS_SPACE_BYTES,
    maxFileBytes: maxOutputBytes,
    // glibc sets 64 MiB of address space aside for each arena, of which there may be eight for each processor.
    env: { MALLOC_ARENA_MAX: '2' },
  };
  const children: ChildProcess[] = [];
  const outcomes: Promise<ToolOutcome>[] = [];
  const kill = (): void => children.forEach(killNow);
  for (const [index, { path, args }] of tools.entries()) {
    const before = children.at(-1)?.stdout;
    const after = index === tools.length - 1 ? outputFd : 'pipe';
    const child = spawn(path, args, { ...limits, stdio: [before ?? 'pipe', after, 'pipe'] });
    children.push(child);
    outcomes.push(outcomeOf(child, basename(path)));
    // While we hold it too, the one that writes to it would not learn that nobody reads any more.
    before?.destroy();
  }
  const ended = Promise.all(outcomes);
  // Until somebody waits for it.
  ended.catch(kill);
  const stdin = children[0]?.stdin;
  if (!stdin) {
    kill();
    throw new SlipwayError('SLIPWAY_UNPACK_TOOL', 'No program can be started on this host now');
  }
  return { stdin, ended, kill };
}

function killNow(child: ChildProcess): void {
  // bubblewrap that is killed while it starts can leave a process behind that holds this open, waiting for ever.
  child.once('exit', () => child.stderr?.destroy());
  child.kill('SIGKILL');
}

async function outcomeOf(child: ChildProcess, program: string): Promise<ToolOutcome> {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (more: string) => {
    if (text.length < MAX_KEPT_TEXT) text += more.slice(0, MAX_KEPT_TEXT);
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ program, code, signal: endedBy(code, signal), text }));
  });
}
