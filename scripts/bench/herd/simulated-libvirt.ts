import { setTimeout as sleep } from 'node:timers/promises';
import { type HypervisorFacts, LibvirtDriver } from '../../../kvm/hypervisor/libvirt-driver.js';
import type { DomainReport } from '../../../shared/hosts.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { DomainSpec } from '../../../shared/virtual-machines.js';

/** As `watchDomains` of the real driver has it. */
const DEBOUNCE_MS = 200;

/** Of one VM. */
export interface VmSize {
  cpuMhz: number;
  memoryBytes: number;
}

/** How many VMs of a size a host has room for: exactly so many, and that may change while it runs. */
export interface Room {
  vms: number;
  size: VmSize;
}

/** A libvirt in memory, which does at once whatever it is asked. */
export class SimulatedLibvirt extends LibvirtDriver {
  readonly #domains = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #room: Room;
  #isPending = false;

  constructor(hostId: string, room: Room) {
    const nowhere = '/nowhere';
    super({
      uri: 'test:///default',
      installationId: 'simulated',
      hostId,
      consoleDirectory: nowhere,
      poolPath: () => nowhere,
    });
    this.#room = room;
  }

  override facts(): Promise<HypervisorFacts> {
    const { vms, size } = this.#room;
    return Promise.resolve({
      arch: 'x86_64',
      cpus: vms,
      cpuSpeedMhz: size.cpuMhz,
      memoryBytes: vms * size.memoryBytes,
      domainType: 'kvm',
      hypervisorVersion: 'simulated',
    });
  }

  override startDomain({ vmId }: DomainSpec, token: number): Promise<void> {
    if (this.#domains.has(vmId)) {
      return Promise.reject(new SlipwayError('SLIPWAY_HYPERVISOR', `VM ${vmId} was started twice`));
    }
    this.#domains.set(vmId, token);
    this.#tell();
    return Promise.resolve();
  }

  override destroyDomain(vmId: string): Promise<void> {
    if (this.#domains.delete(vmId)) this.#tell();
    return Promise.resolve();
  }

  override listDomains(): Promise<DomainReport[]> {
    return Promise.resolve([...this.#domains].map(([vmId, token]) => ({ vmId, token, state: 'Running' })));
  }

  override removeConsole(): Promise<void> {
    return Promise.resolve();
  }

  override async watchDomains({ signal }: { signal: AbortSignal }, onChange: () => void): Promise<void> {
    this.#listeners.add(onChange);
    onChange();
    await sleep(2 ** 31 - 1, undefined, { signal }).catch(() => undefined);
    this.#listeners.delete(onChange);
  }

  /** Has the host say that it has more room. */
  roomChanged(): void {
    this.#tell();
  }

  #tell(): void {
    if (this.#isPending) return;
    this.#isPending = true;
    setTimeout(() => {
      this.#isPending = false;
      for (const listener of this.#listeners) listener();
    }, DEBOUNCE_MS);
  }
}
