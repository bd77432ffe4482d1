import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { confiningCommand, visibleSearchPath, type Confiners } from './confining-command.js';

export interface Confinement {
  stdio: StdioOptions;
  /** Whether the program may use the network. */
  hasNetwork: boolean;
  /** With `hasNetwork`: whether it may use source ports below 1024, as many NFS servers ask for. Only root can allow it. */
  canBindLowPorts?: boolean;
  /**
   * Whether it is us and not nobody, without any privilege, in a user namespace: for a program that has to open a file
   * which nobody may not. Without namespaces it is nobody all the same.
   */
  keepsUserId?: boolean;
  /** It gets SIGXCPU then, and is killed a second later. */
  maxCpuSeconds: number;
  /** `Infinity` for no limit, as for a program that sets aside address space which it never uses. */
  maxAddressSpaceBytes: number;
  /** Largest file that it may write, also through a descriptor that it is given. */
  maxFileBytes: number;
  /** Further files and directories that it may read, below `/usr`, `/lib*`, `/bin` and the like, which it always may. */
  readablePaths?: readonly string[];
  /** Beside LC_ALL=C and the part of our PATH that it can see, which it always has. */
  env?: Record<string, string>;
}

/**
 * Starts a program that reads a stranger's bytes: as nobody, without privileges, in namespaces of its own in which
 * nothing of this host can be seen but its libraries and what `readablePaths` names. Files come and go as descriptors,
 * which the program may also open as `/proc/self/fd/<n>` where nobody has the permission. Its working directory is `/`.
 *
 * The child is the program's guard: to kill it kills the program and all that it started. A program that a signal ended
 * is an exit code of 128 + signal (see `endedBy`), one that is missing 127, one that may not be run 126.
 */
export type SpawnConfined = (program: string, args: readonly string[], confinement: Confinement) => ChildProcess;

/** With a way to ask, at any time, why programs run without namespaces; undefined while they have them. */
export type ConfinedSpawner = SpawnConfined & { problem: () => string | undefined };

const SYSTEM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** A host that was busy for a moment has namespaces again a minute later; one that never has is not asked all the time. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 3_600_000;

export interface SpawnConfinedOptions {
  /**
   * Is told, once, why there are no namespaces on this host: programs then run as nobody (if we are root), without
   * privileges and under limits, and see what nobody can see.
   */
  onWeaker: (reason: string) => void;
  find?: (name: string) => string | undefined;
  /** Of a clock that is never set back. */
  nowMs?: () => number;
}

export function createSpawnConfined({
  onWeaker,
  find = findProgram,
  nowMs = () => performance.now(),
}: SpawnConfinedOptions): ConfinedSpawner {
  const isRoot = process.geteuid?.() === 0;
  let tried: { confiners: Confiners; problem: string | undefined; againAtMs: number; pauseMs: number } | undefined;
  const tryNamespaces = () => {
    if (tried && nowMs() < tried.againAtMs) return tried;
    const required = { prlimit: find('prlimit') ?? 'prlimit', setpriv: find('setpriv') ?? 'setpriv' };
    const bwrap = find('bwrap');
    const problem = bwrap === undefined ? 'bubblewrap is not installed' : probe({ ...required, bwrap }, isRoot);
    if (problem !== undefined && problem !== tried?.problem) onWeaker(problem);
    const pauseMs = tried ? Math.min(2 * tried.pauseMs, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS;
    tried =
      problem === undefined && bwrap !== undefined
        ? { confiners: { ...required, bwrap }, problem: undefined, againAtMs: Infinity, pauseMs }
        : { confiners: required, problem, againAtMs: nowMs() + pauseMs, pauseMs };
    return tried;
  };
  const spawner: SpawnConfined = (program, args, { stdio, env, ...limits }) => {
    const { confiners } = tryNamespaces();
    const [guard = '', ...guardArgs] = confiningCommand(confiners, isRoot, limits);
    const child = spawn(guard, [...guardArgs, program, ...args], {
      stdio,
      cwd: '/',
      env: { PATH: visibleSearchPath(process.env['PATH'] ?? '', limits.readablePaths), LC_ALL: 'C', ...env },
      // A session of its own: it cannot type into the terminal that we were started from. And a group, to be killed
      // together: namespaces see to that only once they are made, and a bwrap killed before leaves its child behind.
      detached: true,
    });
    killAsGroup(child);
    return child;
  };
  return Object.assign(spawner, { problem: () => tryNamespaces().problem });
}

/** See `SpawnConfined`. */
export const spawnConfined = createSpawnConfined({
  onWeaker: (reason) =>
    process.emitWarning(`Programs that read strangers' bytes run without namespaces of their own: ${reason}`),
});

function findProgram(name: string): string | undefined {
  return SYSTEM_DIRECTORIES.map((directory) => join(directory, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @returns why namespaces cannot be made here */
function probe(confiners: Confiners, isRoot: boolean): string | undefined {
  const limits = { hasNetwork: false, maxCpuSeconds: 5, maxAddressSpaceBytes: Infinity, maxFileBytes: 0 };
  const [guard = '', ...args] = confiningCommand(confiners, isRoot, limits);
  const { status, stderr, error } = spawnSync(guard, [...args, 'true'], {
    cwd: '/',
    timeout: 10_000,
    env: { PATH: visibleSearchPath(process.env['PATH'] ?? ''), LC_ALL: 'C' },
  });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.toString().trim() || `bubblewrap ended with exit code ${status}`);
}

function killAsGroup(child: ChildProcess): void {
  child.kill = (signal = 'SIGTERM') => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
    try {
      return process.kill(-child.pid, signal);
    } catch {
      return false;
    }
  };
}
