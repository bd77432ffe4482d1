import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createSpawnConfined } from '../../kvm/confined/spawn-confined.js';
import { missingTools, toolsOf } from '../../kvm/host-tools.js';
import { createMachineFinder } from '../../kvm/hypervisor/guest-machine.js';
import { readNodeInfo } from '../../kvm/hypervisor/node-info.js';
import { createVirsh } from '../../kvm/hypervisor/virsh.js';
import type { PoolType } from '../../shared/hosts.js';
import { checkPool } from './pool-check.js';

/** One thing that a host needs. */
export interface Check {
  name: string;
  /** With a warning a host serves, and something does not work or is slow. */
  status: 'ok' | 'warning' | 'failed';
  /** What was found. */
  text: string;
  /** What to do. */
  remedy?: string;
}

export interface MachineOptions {
  libvirtUri: string;
  pools: readonly { path: string; type: PoolType; poolId?: string | undefined }[];
  guestBridge?: string | undefined;
  guestVlanInterface?: string | undefined;
}

const OLDEST_NODE = [20, 19] as const;

/** What a machine needs to be a host. Nothing is changed, but that a VM which does nothing is started and ended. */
export async function checkMachine(options: MachineOptions): Promise<Check[]> {
  return [
    checkNode(process.versions.node),
    ...checkTools(options),
    await checkConfinement(),
    ...(await checkLibvirt(options.libvirtUri)),
    ...checkInterfaces(options),
    ...(await Promise.all(options.pools.map(checkPool))),
  ];
}

export function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  const text = `version ${version}`;
  if (!isOld) return { name: 'Node.js', status: 'ok', text };
  return { name: 'Node.js', status: 'failed', text, remedy: `install Node.js ${OLDEST_NODE.join('.')} or newer` };
}

function checkTools(options: MachineOptions): Check[] {
  const missing = missingTools(options);
  if (missing.length === 0) {
    const all = toolsOf(options).map(({ name }) => name);
    return [{ name: 'programs', status: 'ok', text: all.join(', ') }];
  }
  return missing.map(({ name, purpose, isVital, package: packageName }) => ({
    name,
    status: isVital ? 'failed' : 'warning',
    text: `missing: without it there is no support for ${purpose}`,
    remedy: `install it (Debian: apt-get install ${packageName})`,
  }));
}

/** Programs that read images are to see nothing of this host. */
async function checkConfinement(): Promise<Check> {
  const name = 'confinement';
  const spawn = createSpawnConfined({ onWeaker: () => undefined });
  const limits = { maxCpuSeconds: 5, maxAddressSpaceBytes: Infinity, maxFileBytes: 0, hasNetwork: false };
  const child = spawn('true', [], { stdio: 'ignore', ...limits });
  const exitCode = await once(child, 'exit').then(
    ([code]: unknown[]) => code,
    (error: Error) => error.message,
  );
  const problem = spawn.problem();
  if (problem === undefined && exitCode === 0) return { name, status: 'ok', text: 'namespaces can be made' };
  return {
    name,
    status: exitCode === 0 ? 'warning' : 'failed',
    text: problem ?? `a confined program ended with ${String(exitCode)}`,
    remedy: 'install bubblewrap, and let it make namespaces: docs/security.md says what is weaker without',
  };
}

async function checkLibvirt(uri: string): Promise<Check[]> {
  const name = `libvirt (${uri})`;
  const virsh = createVirsh(uri);
  try {
    const { libvirtVersion, hypervisorVersion, cpus, arch } = await readNodeInfo(virsh);
    const found = `libvirt ${libvirtVersion ?? 'of an unknown version'}, ${hypervisorVersion}, ${cpus} CPUs, ${arch}`;
    const { domainType } = await createMachineFinder(virsh, 'doctor')();
    return [
      { name, status: 'ok', text: found },
      domainType === 'kvm'
        ? { name: 'KVM', status: 'ok', text: 'virtual machines can use it' }
        : {
            name: 'KVM',
            status: 'warning',
            text: 'cannot be used: virtual machines are emulated, and slow',
            remedy: 'turn virtualization on, and let QEMU’s user read and write /dev/kvm (group kvm)',
          },
    ];
  } catch (error) {
    const remedy = 'install libvirt-daemon-system and start it: systemctl enable --now libvirtd';
    return [{ name, status: 'failed', text: (error as Error).message, remedy }];
  }
}

const checkInterfaces = ({ guestBridge, guestVlanInterface }: MachineOptions): Check[] =>
  [guestBridge, guestVlanInterface]
    .filter((name) => name !== undefined)
    .map((name) =>
      existsSync(`/sys/class/net/${name}`)
        ? { name: `interface ${name}`, status: 'ok', text: 'is there' }
        : { name: `interface ${name}`, status: 'failed', text: 'is not there', remedy: 'make it, or name another one' },
    );
