import { mkdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { SlipwayError } from '../../shared/errors.js';
import type { DomainReport, HostFacts } from '../../shared/hosts.js';
import type { DomainSpec, GuestSecrets } from '../../shared/virtual-machines.js';
import { changeDisc } from './change-disc.js';
import { createDomain } from './create-domain.js';
import { buildDomainXml, type DomainDescription } from './domain-xml.js';
import { findDevices, isoPath } from './find-devices.js';
import { createGuestNetwork, type GuestNetworkOptions } from './guest-network.js';
import { createMachineFinder, type GuestMachine } from './guest-machine.js';
import { type GuestPatience, powerOff, reboot } from './guest-power.js';
import { readNodeInfo } from './node-info.js';
import { isAlive, OwnDomains } from './own-domains.js';
import { readConsole } from './read-console.js';
import { consoleFileName, listConsoles, removeConsole } from './remove-console.js';
import { SeedIsos } from './seed-iso.js';
import { createVirsh, type Virsh } from './virsh.js';
import { watchDomains } from './watch-domains.js';

export interface LibvirtDriverOptions {
  /** `qemu:///system`, or `qemu:///session` for a user's own libvirt. */
  uri: string;
  installationId: string;
  hostId: string;
  /** Where serial consoles are logged, one file per VM; seed ISOs are below it. QEMU's user has to get there. */
  consoleDirectory: string;
  /** Directory of a pool. */
  poolPath(poolId: string): string;
  /** A host without has no L2 networks. */
  guestNetwork?: GuestNetworkOptions | undefined;
}

export type HypervisorFacts = Omit<HostFacts, 'bootId' | 'pools'>;

/** Of display 0. */
const FIRST_VNC_PORT = 5900;

/**
 * Virtual machines through libvirt. Only domains that carry the mark of this installation and this host are ever
 * changed. Fencing is the caller's: `startDomain` records the token in the domain, a token store decides.
 *
 * All methods reject with SLIPWAY_HYPERVISOR and libvirt's own message when libvirt fails.
 */
export class LibvirtDriver {
  readonly #options: LibvirtDriverOptions;
  readonly #virsh: Virsh;
  readonly #domains: OwnDomains;
  readonly #machine: () => Promise<GuestMachine>;
  readonly #bridgeOf: (vlan: number | null) => Promise<string>;
  readonly #seeds: SeedIsos;

  constructor(options: LibvirtDriverOptions) {
    this.#options = options;
    this.#virsh = createVirsh(options.uri);
    this.#domains = new OwnDomains(this.#virsh, options);
    this.#machine = createMachineFinder(this.#virsh, options.hostId);
    this.#bridgeOf = createGuestNetwork(options.guestNetwork ?? {});
    this.#seeds = new SeedIsos(join(options.consoleDirectory, 'seeds'));
  }

  async facts(): Promise<HypervisorFacts> {
    const node = await readNodeInfo(this.#virsh);
    // The kernel's figure of memory: libvirt's leaves out what was plugged in later.
    return { ...node, ...(await this.#machine()), memoryBytes: totalmem() };
  }

  /**
   * Starts a VM. When it runs already with this token nothing is done; one that an earlier operation started is
   * destroyed first.
   *
   * @throws SlipwayError SLIPWAY_FENCED when a later operation started it, SLIPWAY_HYPERVISOR when its name or id is
   * taken by a domain that is not ours, or the host lacks a network that it needs
   */
  async startDomain(spec: DomainSpec, token: number, guest: GuestSecrets): Promise<void> {
    if (await this.#domains.makeRoomFor(spec, token)) return;
    const xml = buildDomainXml(await this.#describe(spec, token, guest));
    await mkdir(this.#options.consoleDirectory, { recursive: true, mode: 0o711 });
    try {
      await createDomain(this.#virsh, xml);
    } catch (error) {
      // A try that was killed may have been carried out by libvirt all the same, a moment ago.
      if (await this.#domains.makeRoomFor(spec, token)) return;
      // libvirt quotes a description that it does not understand.
      throw withoutSecret(error, guest.vncPassword);
    }
  }

  /** Ends a VM at once. A VM that is not here, or not ours, is left as it is. */
  async destroyDomain(vmId: string): Promise<void> {
    const domain = await this.#domains.find(vmId);
    if (domain && domain.state !== 'Stopped') await this.#domains.destroy(domain);
    await this.#seeds.remove(vmId);
  }

  /**
   * Puts a disc into the CD-ROM drive of a VM, or takes it out, also when the guest has locked the drive. Nothing happens
   * when the VM does not run: its next start has the disc from its description.
   *
   * @param iso file name on the pool; null for an empty drive
   */
  async changeIso(vmId: string, { poolId, iso }: Pick<DomainSpec, 'poolId' | 'iso'>): Promise<void> {
    const path = isoPath(this.#options.poolPath(poolId), iso);
    if (isAlive(await this.#domains.find(vmId))) await changeDisc(this.#virsh, vmId, path, this.#hasDacDriver());
  }

  /** TCP port, on the host's loopback, of a VM's display; null when it does not run here. */
  async vncPort(vmId: string): Promise<number | null> {
    if (!isAlive(await this.#domains.find(vmId))) return null;
    const display = /:(\d+)$/m.exec(await this.#virsh.run(['vncdisplay', vmId]))?.[1];
    return display === undefined ? null : FIRST_VNC_PORT + Number(display);
  }

  /** See `readConsole`. */
  readConsole(vmId: string, lengthBytes: number): Promise<Buffer> {
    return readConsole(this.#options.consoleDirectory, vmId, lengthBytes);
  }

  /** Removes seed ISOs of VMs that have ended by themselves, and of processes that were killed. Before any VM starts. */
  async sweepSeeds(): Promise<void> {
    const domains = await this.listDomains();
    await this.#seeds.sweep(new Set(domains.filter(isAlive).map(({ vmId }) => vmId)));
  }

  /** Forgets what a VM that is no more wrote to its serial console. */
  removeConsole(vmId: string): Promise<void> {
    return removeConsole(this.#options.consoleDirectory, vmId);
  }

  /** VMs that this host keeps a console log of. */
  listConsoles(): Promise<string[]> {
    return listConsoles(this.#options.consoleDirectory);
  }

  /**
   * Asks the guest to power off; when it has not after `timeoutMs`, or `isForced`, the VM is ended.
   *
   * @returns whether force was needed
   */
  async stopDomain(vmId: string, patience: GuestPatience): Promise<{ wasForced: boolean }> {
    const isOff = await powerOff(this.#hypervisor(), vmId, patience);
    if (isOff) await this.#seeds.remove(vmId);
    else await this.destroyDomain(vmId);
    return { wasForced: !isOff };
  }

  /** See `reboot`. */
  rebootDomain(vmId: string, patience: GuestPatience): Promise<{ wasForced: boolean }> {
    return reboot(this.#hypervisor(), vmId, patience);
  }

  /** The domains of this installation and host. */
  listDomains(): Promise<DomainReport[]> {
    return this.#domains.list();
  }

  /**
   * Calls `onChange` after domains of this libvirt changed state, ours or not, and after the connection was made.
   * Survives restarts of libvirtd; resolves when `signal` aborts.
   */
  watchDomains({ signal }: { signal: AbortSignal }, onChange: () => void): Promise<void> {
    return watchDomains(this.#options.uri, signal, onChange);
  }

  #hypervisor() {
    return { uri: this.#options.uri, virsh: this.#virsh, domains: this.#domains };
  }

  async #describe(spec: DomainSpec, token: number, guest: GuestSecrets): Promise<DomainDescription> {
    const { vmId, instanceName, displayName, cpus, memoryBytes, bootsFromIso } = spec;
    const { installationId, hostId, consoleDirectory } = this.#options;
    const devices = await findDevices(spec, this.#options.poolPath(spec.poolId), this.#bridgeOf);
    const { arch, domainType } = await this.#machine();
    return {
      ...devices,
      arch,
      domainType,
      mark: { installationId, hostId, vmId, token },
      name: instanceName,
      title: displayName,
      cpus,
      memoryBytes,
      bootsFromIso,
      seed: await this.#seeds.write(vmId, guest),
      vncPassword: guest.vncPassword,
      consolePath: join(consoleDirectory, consoleFileName(vmId)),
      hasDacDriver: this.#hasDacDriver(),
    };
  }

  #hasDacDriver(): boolean {
    return new URL(this.#options.uri).pathname === '/system';
  }
}

/** The error without a secret that its message may have quoted. */
function withoutSecret(error: unknown, secret: string): unknown {
  if (!(error instanceof SlipwayError) || secret === '' || !error.message.includes(secret)) return error;
  return new SlipwayError(error.code, error.message.replaceAll(secret, '…'));
}
