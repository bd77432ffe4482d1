import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePorts } from './free-ports.js';

/** A real NFS server in user space, on 127.0.0.1, for versions 3 and 4. Root is squashed. */
export interface GaneshaServer {
  /** What is exported. Whatever is put there is served at once. */
  readonly directory: string;
  readonly nfsPort: number;
  readonly mountPort: number;
  /** URL of a file by its path below `directory`, which has to be fit for a URL. */
  url(path: string, version?: 3 | 4): string;
  /** Ends the server as a crash does; the files stay until `stop`. */
  kill(): Promise<void>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** Handles of files, which the server needs, do not exist on every file system that temporary directories are on. */
const STATE_DIRECTORY = '/var/lib';
const READY_TIMEOUT_MS = 20_000;

/**
 * Without a port mapper to register with the server does not start. This one is the server's own: in a network of its
 * own, and known by a socket in a /run of its own, so that the machine's, or another test's, is not in the way.
 */
const START = `
set -e
mount -t tmpfs tmpfs /run
mkdir /run/rpcbind
unshare --net rpcbind -f -w &
tries=0
while [ ! -S /run/rpcbind.sock ]; do
  tries=$((tries + 1))
  [ $tries -lt 100 ]
  sleep 0.05
done
exec ganesha.nfsd "$@"
`;

/** Why a server cannot run here; undefined when it can. */
export function ganeshaObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to serve files';
  const missing = ['/usr/bin/ganesha.nfsd', '/usr/sbin/rpcbind', '/usr/bin/unshare'].find((path) => !existsSync(path));
  return missing && `needs ${missing}`;
}

export async function startGanesha(): Promise<GaneshaServer> {
  const root = await mkdtemp(join(STATE_DIRECTORY, 'slipway-ganesha-'));
  // Clients read as nobody.
  await chmod(root, 0o755);
  const directory = join(root, 'export');
  await mkdir(directory);
  await chmod(directory, 0o755);
  await mkdir(join(root, 'recovery'));
  const [nfsPort, mountPort] = (await freePorts(2)) as [number, number];
  const path = (name: string): string => join(root, name);
  await writeFile(path('ganesha.conf'), configuration({ root, directory, nfsPort, mountPort }));
  const server = spawn(
    'unshare',
    ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', START, 'sh', '-F', '-f', path('ganesha.conf')].concat(
      ['-L', path('ganesha.log'), '-p', path('ganesha.pid'), '-N', 'EVENT'], // prettier-ignore
    ),
    { stdio: 'ignore' },
  );
  const kill = (): Promise<void> => ended(server);
  const stop = async (): Promise<void> => {
    await kill();
    await rm(root, { recursive: true, force: true });
  };
  try {
    await ready(server, nfsPort);
  } catch (cause) {
    const log = await readFile(path('ganesha.log'), 'utf8').catch(() => '(no log)');
    await stop();
    throw new Error(`The NFS server did not start: ${log.slice(-2000)}`, { cause });
  }
  return {
    directory,
    nfsPort,
    mountPort,
    url(file, version) {
      const asked = version === undefined ? '' : `&version=${version}`;
      return `nfs://127.0.0.1:${nfsPort}${directory}/${file}?mountport=${mountPort}${asked}`;
    },
    kill,
    stop,
  };
}

interface Served {
  root: string;
  directory: string;
  nfsPort: number;
  mountPort: number;
}

const configuration = ({ root, directory, nfsPort, mountPort }: Served): string => `
NFS_CORE_PARAM {
  NFS_Port = ${nfsPort};
  MNT_Port = ${mountPort};
  Bind_addr = 127.0.0.1;
  Protocols = 3, 4;
  Enable_NLM = false;
  Enable_RQUOTA = false;
  Enable_UDP = false;
}
NFSv4 { Graceless = true; RecoveryBackend = fs; RecoveryRoot = "${root}/recovery"; }
EXPORT {
  Export_Id = 1;
  Path = "${directory}";
  Pseudo = "${directory}";
  Access_Type = RO;
  Squash = Root_Squash;
  SecType = sys;
  Protocols = 3, 4;
  Transports = TCP;
  # As exports of the kernel's server are by default ("secure").
  PrivilegedPort = true;
  # Tests change files behind the server's back.
  Attr_Expiration_Time = 0;
  FSAL { Name = VFS; }
}
`;

async function ready(server: ChildProcess, port: number): Promise<void> {
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (server.exitCode !== null || server.signalCode !== null) throw new Error('It ended');
    if (Date.now() > deadlineMs) throw new Error('It does not answer');
    await delay(50);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    server.once('close', () => resolve());
    server.kill('SIGKILL');
  });
}
