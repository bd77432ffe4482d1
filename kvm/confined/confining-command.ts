import { dirname } from 'node:path';
import type { Confinement } from './spawn-confined.js';

/** Where the programs are that confine another one. */
export interface Confiners {
  prlimit: string;
  setpriv: string;
  /** Absent where namespaces cannot be made. */
  bwrap?: string;
}

/** The user, and the group, without any rights. */
export const NOBODY_ID = 65_534;
const NOBODY = String(NOBODY_ID);

/** More than all threads of any decompressor on any host, and the end of a fork bomb. */
const MAX_PROCESSES = 4096;

/** What programs are made of. Nothing here is a secret; `/etc` itself is not among it. */
const PROGRAM_PATHS = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc/ld.so.cache',
  '/etc/alternatives',
];

const LOW_PORTS = 'net_bind_service';

/** Never for a path: it may have a space. */
const words = (text: string): string[] => text.split(' ').filter(Boolean);

/** @returns the argument list, the program to start first, that runs another one confined */
export function confiningCommand(
  confiners: Confiners,
  isRoot: boolean,
  limits: Omit<Confinement, 'stdio' | 'env'>,
): string[] {
  const becomesNobody = isRoot && !(limits.keepsUserId && confiners.bwrap !== undefined);
  const canBindLowPorts = becomesNobody && limits.canBindLowPorts === true;
  return [
    ...prlimit(confiners.prlimit, limits),
    ...(confiners.bwrap === undefined ? [] : namespaces(confiners.bwrap, becomesNobody, canBindLowPorts, limits)),
    ...unprivileged(confiners.setpriv, becomesNobody, canBindLowPorts),
  ];
}

type Limits = Pick<Confinement, 'maxCpuSeconds' | 'maxAddressSpaceBytes' | 'maxFileBytes'>;

function prlimit(program: string, limits: Limits): string[] {
  return [
    program,
    // The hard limit kills as the kernel kills for want of memory; the soft one says what it was: SIGXCPU.
    `--cpu=${limits.maxCpuSeconds}:${limits.maxCpuSeconds + 1}`,
    `--as=${number(limits.maxAddressSpaceBytes)}`,
    `--fsize=${number(limits.maxFileBytes)}`,
    `--nproc=${MAX_PROCESSES}`,
    // A core file would be a stranger's bytes, and ours, left on the disk.
    '--core=0',
    '--',
  ];
}

const number = (limit: number): string => (limit === Infinity ? 'unlimited' : String(limit));

function namespaces(
  bwrap: string,
  becomesNobody: boolean,
  canBindLowPorts: boolean,
  { hasNetwork, readablePaths = [] }: Pick<Confinement, 'hasNetwork' | 'readablePaths'>,
): string[] {
  return [
    bwrap,
    '--die-with-parent',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(hasNetwork ? [] : ['--unshare-net']),
    // In a user namespace nobody would be another name of root, who owns the files of this host. Without one root can
    // bind what lies below closed directories, and then become nobody in earnest.
    ...(becomesNobody
      ? [
          ...words('--cap-drop ALL --cap-add CAP_SETUID --cap-add CAP_SETGID --cap-add CAP_SETPCAP'),
          ...words(canBindLowPorts ? '--cap-add CAP_NET_BIND_SERVICE' : ''),
        ]
      : words(`--unshare-user --uid ${NOBODY} --gid ${NOBODY}`)),
    ...directoriesAbove([...PROGRAM_PATHS, ...readablePaths]).flatMap((path) => ['--dir', path]),
    ...PROGRAM_PATHS.flatMap((path) => ['--ro-bind-try', path, path]),
    ...words('--proc /proc --dev /dev'),
    ...readablePaths.flatMap((path) => ['--ro-bind', path, path]),
    // What is written to the last two is memory that no limit counts; what root writes to the first changes the host,
    // also when it has lost its privileges.
    ...words('--remount-ro /proc --remount-ro /dev --remount-ro /'),
    ...words('--chdir / --'),
  ];
}

/** Made explicitly, parents first, for those that bubblewrap makes on its own way are closed to nobody. */
function directoriesAbove(paths: readonly string[]): string[] {
  const directories = new Set<string>();
  for (const path of paths) {
    const names = dirname(path).split('/').filter(Boolean);
    names.forEach((_name, index) => directories.add(`/${names.slice(0, index + 1).join('/')}`));
  }
  return [...directories].filter((directory) => !PROGRAM_PATHS.some((bound) => isWithin(directory, bound)));
}

/**
 * The directories of a search path that a confined program can see: one that it may not look into would have it told
 * that a missing program is forbidden.
 */
export const visibleSearchPath = (searchPath: string, readablePaths: readonly string[] = []): string =>
  searchPath
    .split(':')
    .filter((directory) => [...PROGRAM_PATHS, ...readablePaths].some((visible) => isWithin(directory, visible)))
    .join(':');

const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`);

function unprivileged(setpriv: string, becomesNobody: boolean, canBindLowPorts: boolean): string[] {
  const kept = canBindLowPorts ? `,+${LOW_PORTS}` : '';
  return [
    setpriv,
    '--no-new-privs',
    '--pdeathsig=KILL',
    ...(becomesNobody
      ? [
          ...words(`--reuid=${NOBODY} --regid=${NOBODY} --clear-groups`),
          ...words(`--inh-caps=-all${kept} --ambient-caps=-all${kept} --bounding-set=-all${kept}`),
        ]
      : []),
    '--',
  ];
}
