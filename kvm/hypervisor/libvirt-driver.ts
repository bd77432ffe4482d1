import { mkdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SlipwayError } from '../../shared/errors.js';
import type { DomainReport, DomainState, HostFacts } from '../../shared/hosts.js';
import type { DomainSpec, GuestSecrets } from '../../shared/virtual-machines.js';
import { assertUuid } from '../uuid.js';
import { awaitReboot } from './await-reboot.js';
import { createDomain, withXmlFile } from './create-domain.js';
import { createDomainTypeFinder } from './usable-domain-type.js';
import { buildCdromXml, buildDomainXml, type DomainDescription, readCdrom } from './domain-xml.js';
import { findDevices, isoPath } from './find-devices.js';
import { findDomains, type FoundDomain } from './find-domains.js';
import { createGuestNetwork, type GuestNetworkOptions } from './guest-network.js';
import { readNodeInfo } from './node-info.js';
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

const SHUTDOWN_POLL_MS = 250;
/** Of display 0. */
const FIRST_VNC_PORT = 5900;

export interface GuestPatience {
  /** Without asking the guest. */
  isForced: boolean;
  timeoutMs: number;
  /** Ends the wait; the guest is then not forced. */
  signal?: AbortSignal | undefined;
}

/**
 * Virtual machines through libvirt. Only domains that carry the mark of this installation and this host are ever
 * changed. Fencing is the caller's: `startDomain` records the token in the domain, a token store decides.
 *
 * All methods reject with SLIPWAY_HYPERVISOR and libvirt's own message when libvirt fails.
 */
export class LibvirtDriver {
  readonly #options: LibvirtDriverOptions;
  readonly #virsh: Virsh;
  readonly #domainType: (arch: string) => Promise<'kvm' | 'qemu'>;
  readonly #bridgeOf: (vlan: number | null) => Promise<string>;
  readonly #seeds: SeedIsos;

  constructor(options: LibvirtDriverOptions) {
    this.#options = options;
    this.#virsh = createVirsh(options.uri);
    this.#domainType = createDomainTypeFinder(this.#virsh, options.hostId);
    this.#bridgeOf = createGuestNetwork(options.guestNetwork ?? {});
    this.#seeds = new SeedIsos(join(options.consoleDirectory, 'seeds'));
  }

  async facts(): Promise<HypervisorFacts> {
    const node = await readNodeInfo(this.#virsh);
    const version = await this.#virsh.run(['version']);
    return {
      ...node,
      // The kernel's figure: libvirt's leaves out memory that was plugged in later.
      memoryBytes: totalmem(),
      domainType: await this.#domainType(node.arch),
      hypervisorVersion: /^Running hypervisor: (.+)$/m.exec(version)?.[1] ?? 'unknown',
    };
  }

  /**
   * Starts a VM. When it runs already with this token nothing is done; one that an earlier operation started is
   * destroyed first.
   *
   * @throws SlipwayError SLIPWAY_FENCED when a later operation started it, SLIPWAY_HYPERVISOR when its name or id is
   * taken by a domain that is not ours, or the host lacks a network that it needs
   */
  async startDomain(spec: DomainSpec, token: number, guest: GuestSecrets): Promise<void> {
    if (await this.#isStarted(spec, token)) return;
    const xml = buildDomainXml(await this.#describe(spec, token, guest));
    await mkdir(this.#options.consoleDirectory, { recursive: true, mode: 0o711 });
    try {
      await createDomain(this.#virsh, xml);
    } catch (error) {
      // A try that was killed may have been carried out by libvirt all the same, a moment ago.
      if (await this.#isStarted(spec, token)) return;
      // libvirt quotes a description that it does not understand.
      throw withoutSecret(error, guest.vncPassword);
    }
  }

  /** Ends a VM at once. A VM that is not here, or not ours, is left as it is. */
  async destroyDomain(vmId: string): Promise<void> {
    const domain = await this.#findOurs(vmId);
    if (domain && domain.state !== 'Stopped') await this.#destroy(domain);
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
    if (!isAlive(await this.#findOurs(vmId))) return;
    const drive = readCdrom(await this.#virsh.run(['dumpxml', vmId]));
    if (!drive) {
      throw new SlipwayError(
        'SLIPWAY_HYPERVISOR',
        `VM ${vmId} runs without a CD-ROM drive: stop it and start it again`,
      );
    }
    if (drive.iso === path) return;
    await withXmlFile(buildCdromXml(path, drive.bus, this.#hasDacDriver()), (file) =>
      this.#virsh.run(['update-device', vmId, file, '--live', '--force']),
    );
  }

  /** TCP port, on the host's loopback, of a VM's display; null when it does not run here. */
  async vncPort(vmId: string): Promise<number | null> {
    if (!isAlive(await this.#findOurs(vmId))) return null;
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
  async stopDomain(vmId: string, { isForced, timeoutMs, signal }: GuestPatience): Promise<{ wasForced: boolean }> {
    const isGone = async (): Promise<boolean> => ((await this.#findOurs(vmId))?.state ?? 'Stopped') === 'Stopped';
    const gone = async (): Promise<{ wasForced: boolean }> => {
      await this.#seeds.remove(vmId);
      return { wasForced: false };
    };
    if (await isGone()) return gone();
    if (!isForced) {
      // A guest that cannot be asked (paused, still booting) is ended when the time is over.
      await this.#virsh.run(['shutdown', vmId]).catch(() => undefined);
      const deadlineMs = Date.now() + timeoutMs;
      while (Date.now() < deadlineMs) {
        if (await isGone()) return gone();
        await sleep(SHUTDOWN_POLL_MS, undefined, { signal });
      }
    }
    await this.destroyDomain(vmId);
    return { wasForced: true };
  }

  /**
   * Asks the guest to reboot; when it has not after `timeoutMs`, or `isForced`, the VM is reset.
   *
   * @returns whether force was needed
   * @throws SlipwayError SLIPWAY_HYPERVISOR also when the VM does not run here
   */
  async rebootDomain(vmId: string, { isForced, timeoutMs, signal }: GuestPatience): Promise<{ wasForced: boolean }> {
    const domain = await this.#findOurs(vmId);
    if (!isAlive(domain)) {
      throw new SlipwayError('SLIPWAY_HYPERVISOR', `VM ${vmId} does not run on this host`);
    }
    if (!isForced) {
      const listening = { uri: this.#options.uri, uuid: vmId, timeoutMs, signal };
      // A guest that cannot be asked (paused, still booting) is reset when the time is over.
      const ask = (): Promise<unknown> => this.#virsh.run(['reboot', vmId]).catch(() => undefined);
      if (await awaitReboot(listening, ask)) return { wasForced: false };
    }
    await this.#virsh.run(['reset', vmId]);
    return { wasForced: true };
  }

  /** The domains of this installation and host. */
  async listDomains(): Promise<DomainReport[]> {
    return (await findDomains(this.#virsh)).flatMap((domain) =>
      this.#isOurs(domain) && domain.mark
        ? [{ vmId: domain.mark.vmId, state: domain.state, token: domain.mark.token }]
        : [],
    );
  }

  /**
   * Calls `onChange` after domains of this libvirt changed state, ours or not, and after the connection was made.
   * Survives restarts of libvirtd; resolves when `signal` aborts.
   */
  watchDomains({ signal }: { signal: AbortSignal }, onChange: () => void): Promise<void> {
    return watchDomains(this.#options.uri, signal, onChange);
  }

  #isOurs({ mark }: FoundDomain): boolean {
    return mark?.installationId === this.#options.installationId && mark.hostId === this.#options.hostId;
  }

  async #findOurs(vmId: string): Promise<FoundDomain | undefined> {
    assertUuid(vmId, 'VM id');
    const found = await findDomains(this.#virsh, ({ uuid }) => uuid === vmId);
    return found.find((domain) => this.#isOurs(domain));
  }

  /** Whether the VM runs with this token; makes room when an earlier operation's runs. */
  async #isStarted(spec: DomainSpec, token: number): Promise<boolean> {
    assertUuid(spec.vmId, 'VM id');
    const inTheWay = await findDomains(
      this.#virsh,
      ({ uuid, name }) => uuid === spec.vmId || name === spec.instanceName,
    );
    for (const domain of inTheWay) {
      if (!this.#isOurs(domain) || domain.mark?.vmId !== spec.vmId) {
        throw new SlipwayError(
          'SLIPWAY_HYPERVISOR',
          `A domain named ${domain.name} with id ${domain.uuid} exists on this host and does not belong to this VM`,
        );
      }
      if (domain.mark.token > token) {
        throw new SlipwayError('SLIPWAY_FENCED', `VM ${spec.vmId} was started by operation ${domain.mark.token}`);
      }
      if (domain.mark.token === token && isAlive(domain)) return true;
      if (domain.state !== 'Stopped') await this.#destroy(domain);
    }
    return false;
  }

  async #destroy({ uuid }: FoundDomain): Promise<void> {
    try {
      await this.#virsh.run(['destroy', uuid]);
    } catch (error) {
      // It may have ended by itself in between.
      const isStillThere = (await this.#findOurs(uuid)) !== undefined;
      if (isStillThere) throw error;
    }
  }

  async #describe(spec: DomainSpec, token: number, guest: GuestSecrets): Promise<DomainDescription> {
    const { vmId, instanceName, displayName, cpus, memoryBytes, bootsFromIso } = spec;
    const { installationId, hostId, consoleDirectory } = this.#options;
    const devices = await findDevices(spec, this.#options.poolPath(spec.poolId), this.#bridgeOf);
    const { arch } = await readNodeInfo(this.#virsh);
    return {
      ...devices,
      mark: { installationId, hostId, vmId, token },
      domainType: await this.#domainType(arch),
      arch,
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

const isAlive = <Domain extends { state: DomainState }>(domain: Domain | undefined): domain is Domain =>
  domain?.state === 'Running' || domain?.state === 'Paused';

/** The error without a secret that its message may have quoted. */
function withoutSecret(error: unknown, secret: string): unknown {
  if (!(error instanceof SlipwayError) || secret === '' || !error.message.includes(secret)) return error;
  return new SlipwayError(error.code, error.message.replaceAll(secret, '…'));
}
