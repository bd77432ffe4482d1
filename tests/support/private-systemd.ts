import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChildProcess, waitUntilReady } from '../../embedded/child-process.js';
import type { RunProgram } from './slipway-command.js';
import { waitFor } from './wait-for.js';

const run = promisify(execFile);

const PROGRAM = '/lib/systemd/systemd';
const READY_MS = 30_000;
/** What a unit of ours names; the machine's own would start the machine's services. */
const TARGETS = [
  'basic',
  'exit',
  'final',
  'local-fs',
  'multi-user',
  'network-online',
  'remote-fs',
  'shutdown',
  'sysinit',
  'umount',
];

/** A real systemd, as process 1 of namespaces of its own, that runs nothing but what a test gives it. */
export interface PrivateSystemd {
  /** Where it keeps units: /etc/systemd/system to whoever is inside. */
  readonly unitDirectory: string;
  /** Standard output and error of all of its services. */
  readonly logPath: string;
  /** Runs a program where this systemd is the machine's. */
  readonly inside: RunProgram;
  systemctl(...args: string[]): Promise<string>;
  /** Ends it with everything that it runs. */
  stop(): Promise<void>;
}

/** Why it cannot run here; undefined when it can. */
export function privateSystemdObstacle(): string | undefined {
  if (process.geteuid?.() !== 0) return 'needs root';
  if (!existsSync(PROGRAM)) return `needs ${PROGRAM}`;
  const trial = [
    '--pid',
    '--mount',
    '--cgroup',
    '--uts',
    '--ipc',
    '--fork',
    'mount',
    '-t',
    'cgroup2',
    'cgroup2',
    '/sys',
  ];
  try {
    execFileSync('unshare', trial, { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `needs namespaces and cgroup2: ${(error as Error).message.trim().split('\n').at(-1)}`;
  }
}

/**
 * Its services have the machine's network and files, but /run, control groups and units of their own. That of libvirt in
 * /run stays, since it is a service of the machine.
 */
const START = `set -euo pipefail
directory=$1
mount -t cgroup2 cgroup2 "$directory/all-groups"
mkdir "$directory/all-groups/$2"
echo $$ > "$directory/all-groups/$2/cgroup.procs"
exec unshare --pid --mount --cgroup --uts --ipc --fork --kill-child=SIGKILL bash -euc '
directory=$1
mount -t proc proc /proc
umount --recursive /sys/fs/cgroup
mkdir -p /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount --rbind /run/libvirt "$directory/libvirt"
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir /run/libvirt
mount --rbind "$directory/libvirt" /run/libvirt
mount --bind "$directory/units" /etc/systemd/system
exec env -i container=other PATH="$PATH" SYSTEMD_UNIT_PATH=/etc/systemd/system \\
  ${PROGRAM} --system --unit=multi-user.target --log-target=console
' start "$directory"
`;

export async function startPrivateSystemd(): Promise<PrivateSystemd> {
  // Not in /tmp, which a unit may have of its own.
  const directory = await mkdtemp('/var/lib/slipway-systemd-');
  const name = directory.split('/').at(-1)!;
  const path = (file: string): string => join(directory, file);
  await chmod(directory, 0o711);
  for (const part of ['units', 'units/service.d', 'libvirt', 'all-groups']) await mkdir(path(part));
  for (const target of TARGETS) await writeFile(path(`units/${target}.target`), '[Unit]\nDefaultDependencies=no\n');
  const logPath = path('services.log');
  // There is no journal.
  await writeFile(path('units/service.d/log.conf'), `[Service]\nStandardOutput=append:${logPath}\n`);
  await writeFile(path('start'), START);
  const child = await startChildProcess({
    name: 'systemd',
    command: 'unshare',
    args: ['--mount', '--propagation', 'private', 'bash', path('start'), directory, name],
    env: { PATH: process.env['PATH'] },
    logPath: path('systemd.log'),
  });
  const inside: RunProgram = async (program, args, env) => {
    const [init] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(' ');
    return run('nsenter', ['--target', init!, '--mount', '--pid', program, ...args], {
      env: { PATH: process.env['PATH'], LC_ALL: 'C', ...env },
    });
  };
  const systemctl: PrivateSystemd['systemctl'] = async (...args) => (await inside('systemctl', args, {})).stdout.trim();
  const hasBooted = async (signal: AbortSignal): Promise<boolean> => {
    while (!signal.aborted) {
      if ((await systemctl('is-active', 'multi-user.target').catch(() => '')) === 'active') return true;
    }
    return false;
  };
  await waitUntilReady(child, hasBooted, READY_MS);
  return {
    unitDirectory: path('units'),
    logPath,
    inside,
    systemctl,
    async stop() {
      child.kill('SIGKILL');
      await child.exited;
      await removeControlGroup(name, path('all-groups'));
      await rm(directory, { recursive: true });
    },
  };
}

/** Groups go only when they are empty, and processes take a moment to end. */
async function removeControlGroup(name: string, mountPoint: string): Promise<void> {
  await run('mount', ['-t', 'cgroup2', 'cgroup2', mountPoint]);
  try {
    await waitFor(`control group ${name} is empty`, async () => {
      const { stdout } = await run('find', [join(mountPoint, name), '-depth', '-type', 'd']);
      for (const group of stdout.trim().split('\n')) {
        if (!(await rmdir(group).then(() => true, () => false))) return false; // prettier-ignore
      }
      return true;
    });
  } finally {
    await run('umount', [mountPoint]);
  }
}
