import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
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

const SYSTEM_DIRECTORIES = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/**
 * @param onWeaker is told once why there are no namespaces on this host: programs then run as nobody (if we are root),
 * without privileges and under limits, and see what nobody can see
 */
export function createSpawnConfined(onWeaker: (reason: string) => void, find = findProgram): SpawnConfined {
  const isRoot = process.geteuid?.() === 0;
  let found: Confiners | undefined;
  const confiners = (): Confiners => {
    if (found) return found;
    const required = { prlimit: find('prlimit') ?? 'prlimit', setpriv: find('setpriv') ?? 'setpriv' };
    const bwrap = find('bwrap');
    const problem = bwrap === undefined ? 'bubblewrap is not installed' : probe({ ...required, bwrap }, isRoot);
    found = problem === undefined && bwrap !== undefined ? { ...required, bwrap } : required;
    if (problem !== undefined) onWeaker(problem);
    return found;
  };
  return (program, args, { stdio, env, ...limits }) => {
    const using = confiners();
    const [guard = '', ...guardArgs] = confiningCommand(using, isRoot, limits);
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
}

/** See `SpawnConfined`. */
export const spawnConfined = createSpawnConfined((reason) =>
  process.emitWarning(`Programs that read strangers' bytes run without namespaces of their own: ${reason}`),
);

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
