import path from 'node:path';

export interface UnitOptions {
  /** Of the host, for people who list units. */
  hostName: string;
  /** Of Node. */
  executable: string;
  /** Directory of the compiled programs. */
  programs: string;
  configPath: string;
  environmentPath: string;
  /** Directories that have to be there before it starts. Pools are not among them: without one of them a host serves. */
  ownDirectories: readonly string[];
  pools: readonly string[];
  /** That it reads beside them, such as certificates for Temporal. */
  furtherFiles: readonly string[];
  /** `qemu:///system` has a service of its own. That of a session is started by whoever asks first, as the worker is. */
  isSystemLibvirt: boolean;
}

/**
 * What a host worker does as root: namespaces and mounts for confined programs, another user for them, files of QEMU's
 * user, bridges for guests, NFS from low ports. Nothing else is left to it.
 */
const CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_ADMIN',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_ADMIN',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_RESOURCE',
];

/** A service that runs a host worker, and starts it again whatever it ended with (systemd.service(5), systemd.exec(5)). */
export function renderUnit(options: UnitOptions): string {
  const { hostName, executable, programs, configPath, environmentPath, ownDirectories } = options;
  const command = [executable, '--enable-source-maps', `${programs}/workers/host-worker.js`, configPath];
  const libvirt = options.isSystemLibvirt ? ' libvirtd.service virtqemud.service' : '';
  return `[Unit]
Description=Slipway host worker (${hostName.replaceAll(/\p{Cc}/gu, ' ').replaceAll('%', '%%')})
Wants=network-online.target
After=network-online.target remote-fs.target${libvirt}
RequiresMountsFor=${ownDirectories.map(quote).join(' ')}
# It never gives up: libvirt or Temporal may be away for long.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.map((word) => quote(word).replaceAll('$', '$$$$')).join(' ')}
EnvironmentFile=${environmentPath.replaceAll('%', '%%')}
Restart=always
RestartSec=2
# The worker ends its programs itself. Virtual machines are libvirt's, and run on.
KillMode=${options.isSystemLibvirt ? 'mixed' : 'process'}
TimeoutStopSec=30
LimitNOFILE=65536
LimitCORE=0

# Not here: user namespaces, private devices and a read-only /proc, which confined programs need as they are; and a
# file system that is read-only as a whole, for a pool that is mounted later has to be seen, and written to.
NoNewPrivileges=yes
CapabilityBoundingSet=${CAPABILITIES.join(' ')}
ProtectSystem=full
# It takes keys out of its configuration that have expired.
ReadWritePaths=${quote(path.dirname(configPath))}
${protectedHome([executable, ...seenBy(options)])}${privateTmp(seenBy(options))}ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
KeyringMode=private

[Install]
WantedBy=multi-user.target
`;
}

const isBelow = (paths: readonly string[], directories: readonly string[]): boolean =>
  paths.some((path) => directories.some((directory) => `${path}/`.startsWith(`${directory}/`)));

/** Where Node, Slipway or a pool is in somebody's home, it has to be seen. */
const protectedHome = (paths: readonly string[]): string =>
  isBelow(paths, ['/home', '/root', '/run/user']) ? '' : 'ProtectHome=yes\n';

const privateTmp = (paths: readonly string[]): string =>
  isBelow(paths, ['/tmp', '/var/tmp']) ? '' : 'PrivateTmp=yes\n';

const seenBy = ({ programs, configPath, ownDirectories, pools, furtherFiles }: UnitOptions): string[] => [
  programs,
  configPath,
  ...ownDirectories,
  ...pools,
  ...furtherFiles,
];

/** As systemd.syntax(7) and the specifiers of systemd.unit(5) want it. */
const quote = (word: string): string =>
  `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
