import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export interface HostTool {
  /** Of a program, or the beginning of a library's file name. */
  name: string;
  isLibrary?: boolean;
  /** Debian's package, or the alternatives. */
  package: string;
  /** What does not work without it. */
  purpose: string;
  /** Without it nothing works at all. */
  isVital?: boolean;
}

const TOOLS: readonly HostTool[] = [
  { name: 'virsh', package: 'libvirt-clients', purpose: 'virtual machines', isVital: true },
  { name: 'qemu-img', package: 'qemu-utils', purpose: 'disks and the inspection of images', isVital: true },
  { name: 'prlimit', package: 'util-linux', purpose: 'limits on programs that read images', isVital: true },
  { name: 'setpriv', package: 'util-linux', purpose: 'programs that read images without privileges', isVital: true },
  { name: 'bwrap', package: 'bubblewrap', purpose: 'confinement of programs that read images' },
  { name: 'xorriso', package: 'xorriso', purpose: 'user data and SSH keys of guests' },
  { name: 'pigz', package: 'pigz', purpose: 'gzip and zip images at full speed' },
  { name: 'lbzip2', package: 'lbzip2', purpose: 'bzip2 images at full speed' },
  { name: 'xz', package: 'xz-utils', purpose: 'xz images' },
  { name: 'zstd', package: 'zstd', purpose: 'zstd images' },
  { name: 'libnfs.so', isLibrary: true, package: 'libnfs13', purpose: 'images at nfs:// URLs' },
];
const BRIDGE_TOOL: HostTool = { name: 'ip', package: 'iproute2', purpose: 'L2 networks of guests' };

const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const LIBRARY_DIRECTORIES = ['/usr/local/lib', '/usr/lib', '/usr/lib64', '/lib', '/lib64'];

interface Places {
  /** `PATH`; the system's own directories are looked into as well. */
  searchPath?: string | undefined;
  libraryDirectories?: readonly string[];
}

/** The tools of a host, those for guests' bridges included when it has one. */
export const toolsOf = ({ guestBridge, guestVlanInterface }: { guestBridge?: string; guestVlanInterface?: string }) =>
  guestBridge === undefined && guestVlanInterface === undefined ? TOOLS : [...TOOLS, BRIDGE_TOOL];

/** Those that this machine lacks. */
export function missingTools(
  config: Parameters<typeof toolsOf>[0],
  { searchPath = process.env['PATH'] ?? '', libraryDirectories = LIBRARY_DIRECTORIES }: Places = {},
): HostTool[] {
  const programDirectories = [...searchPath.split(delimiter).filter(Boolean), ...SYSTEM_DIRECTORIES];
  return toolsOf(config).filter(({ name, isLibrary }) =>
    isLibrary ? !hasLibrary(name, libraryDirectories) : !programDirectories.some((at) => isProgram(join(at, name))),
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps libraries one directory below, by architecture. */
function hasLibrary(name: string, directories: readonly string[]): boolean {
  return directories
    .filter((path) => existsSync(path))
    .some((path) => {
      const entries = readdirSync(path, { withFileTypes: true });
      const below = entries.filter((entry) => entry.isDirectory() && entry.name.endsWith('-linux-gnu'));
      return [entries.map((entry) => entry.name), ...below.map((entry) => readdirSync(join(path, entry.name)))].some(
        (names) => names.some((file) => file.startsWith(name)),
      );
    });
}
