import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ChildProcess, startChildProcess, waitUntilReady } from '../../embedded/child-process.js';

const run = promisify(execFile);

const PROGRAM = '/usr/sbin/libvirtd';
const READY_MS = 60_000;
/** Below the ports that the kernel gives to whoever connects. */
const FIRST_DISPLAY_PORT = 20_000;
const DISPLAY_RANGES = 120;
const DISPLAYS = 100;

/** A libvirt daemon that only one test knows of: it can be killed under other people's virtual machines. */
export interface PrivateLibvirtd {
  readonly uri: string;
  kill(signal: NodeJS.Signals): void;
  /** Starts it again, after ending it if it runs. Virtual machines run on meanwhile. */
  restart(): Promise<void>;
  /** Runs a domain that is nobody's, with nothing in it. */
  runStranger(domain: { name: string; id: string }): Promise<void>;
  /** Ends it, and what it runs. */
  stop(): Promise<void>;
}

/** Why it cannot run here; undefined when it can. */
export const privateLibvirtdObstacle = (): string | undefined =>
  process.getuid?.() !== 0 ? 'needs root' : existsSync(PROGRAM) ? undefined : `needs ${PROGRAM}`;

/**
 * In a mount namespace of its own, so that it sees its own directories where the machine's libvirtd has its. Without
 * /dev/kvm: where that is closed to QEMU's user, libvirt would take 40 s for each start of a VM.
 */
const PROGRAM_TEXT = `set -euo pipefail
directory=$1
mount -t tmpfs -o mode=0755,nosuid slipway-dev "$directory/dev"
for entry in /dev/*; do
  copy=$directory/dev/\${entry##*/}
  if [ "$entry" = /dev/kvm ]; then continue
  elif [ -d "$entry" ] && [ ! -L "$entry" ]; then mkdir "$copy"; mount --rbind "$entry" "$copy"
  else cp -a "$entry" "$copy"; fi
done
mount --rbind "$directory/dev" /dev
mount --bind "$directory/lib" /var/lib/libvirt
mount --bind "$directory/cache" /var/cache/libvirt
mount --bind "$directory/etc" /etc/libvirt
mount --bind "$directory/run" /run/libvirt
exec ${PROGRAM} --pid-file "$directory/pid"
`;

export async function startPrivateLibvirtd(): Promise<PrivateLibvirtd> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-libvirtd-'));
  const path = (name: string): string => join(directory, name);
  // QEMU runs as another user and has its sockets below.
  await chmod(directory, 0o711);
  for (const name of ['run', 'lib', 'cache', 'dev']) await mkdir(path(name));
  await cp('/etc/libvirt', path('etc'), { recursive: true });
  // Its domains must not be started with the machine, nor log through the machine's virtlogd.
  for (const name of ['etc/qemu', 'etc/libxl']) await rm(path(name), { recursive: true, force: true });
  await writeFile(path('etc/libvirtd.conf'), `unix_sock_dir = "${path('run')}"\nauth_unix_rw = "none"\n`);
  // Two libvirtds would find the same port free, and one of their QEMUs would not get it.
  const firstPort = FIRST_DISPLAY_PORT + Math.floor(Math.random() * DISPLAY_RANGES) * DISPLAYS;
  await writeFile(
    path('etc/qemu.conf'),
    `stdio_handler = "file"
namespaces = []
remote_display_port_min = ${firstPort}
remote_display_port_max = ${firstPort + DISPLAYS - 1}
`,
  );
  await writeFile(path('start'), PROGRAM_TEXT);

  const uri = `qemu+unix:///system?socket=${path('run/libvirt-sock')}`;
  const virsh = async (...args: string[]): Promise<string> =>
    (await run('virsh', ['--quiet', '--connect', uri, ...args])).stdout;
  const start = async (): Promise<ChildProcess> => {
    const child = await startChildProcess({
      name: 'libvirtd',
      command: 'unshare',
      args: ['--mount', '--propagation', 'private', '--', 'bash', path('start'), directory],
      env: { PATH: process.env['PATH'] },
      logPath: path('log'),
    });
    const answers = async (signal: AbortSignal): Promise<boolean> => {
      while (!signal.aborted) {
        if (await virsh('uri').catch(() => undefined)) return true;
      }
      return false;
    };
    await waitUntilReady(child, answers, READY_MS);
    return child;
  };

  let child = await start();
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
  };
  const restart = async (): Promise<void> => {
    await kill();
    child = await start();
  };
  return {
    uri,
    kill: (signal) => child.kill(signal),
    restart,
    async runStranger({ name, id }) {
      const xml = `<domain type="qemu"><name>${name}</name><uuid>${id}</uuid><memory unit="MiB">16</memory>
        <vcpu>1</vcpu><os><type>hvm</type></os></domain>`;
      await writeFile(path('domain.xml'), xml);
      await virsh('create', path('domain.xml'));
    },
    async stop() {
      await restart();
      for (const id of (await virsh('list', '--uuid')).split('\n').filter(Boolean)) {
        await virsh('destroy', id).catch(() => undefined);
      }
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
