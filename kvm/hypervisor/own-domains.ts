import { SlipwayError } from '../../shared/errors.js';
import type { DomainReport, DomainState } from '../../shared/hosts.js';
import type { DomainSpec } from '../../shared/virtual-machines.js';
import { assertUuid } from '../uuid.js';
import { findDomain, findDomains, type FoundDomain } from './find-domains.js';
import type { Virsh } from './virsh.js';

/** Whose domains they are: those of one host of one installation. */
export interface Owner {
  installationId: string;
  hostId: string;
}

/** The domains that carry the mark of their owner. All others are looked at, and never changed. */
export class OwnDomains {
  readonly #virsh: Virsh;
  readonly #owner: Owner;

  constructor(virsh: Virsh, { installationId, hostId }: Owner) {
    this.#virsh = virsh;
    this.#owner = { installationId, hostId };
  }

  async list(): Promise<DomainReport[]> {
    return (await findDomains(this.#virsh)).flatMap((domain) =>
      this.#isOwn(domain) && domain.mark
        ? [{ vmId: domain.mark.vmId, state: domain.state, token: domain.mark.token }]
        : [],
    );
  }

  async find(vmId: string): Promise<FoundDomain | undefined> {
    assertUuid(vmId, 'VM id');
    const domain = await findDomain(this.#virsh, vmId);
    return domain && this.#isOwn(domain) ? domain : undefined;
  }

  async destroy({ uuid }: FoundDomain): Promise<void> {
    try {
      await this.#virsh.run(['destroy', uuid]);
    } catch (error) {
      // It may have ended by itself in between.
      const isStillThere = (await this.find(uuid)) !== undefined;
      if (isStillThere) throw error;
    }
  }

  /**
   * Ends the domain of an earlier operation, so that a VM can be started with a token.
   *
   * @returns true when it runs with that token already
   * @throws SlipwayError SLIPWAY_FENCED when a later operation started it, SLIPWAY_HYPERVISOR when its name or id is
   * taken by a domain that is not ours
   */
  async makeRoomFor({ vmId, instanceName }: DomainSpec, token: number): Promise<boolean> {
    assertUuid(vmId, 'VM id');
    const inTheWay = await findDomains(this.#virsh, ({ uuid, name }) => uuid === vmId || name === instanceName);
    for (const domain of inTheWay) {
      if (!this.#isOwn(domain) || domain.mark?.vmId !== vmId) {
        throw new SlipwayError(
          'SLIPWAY_HYPERVISOR',
          `A domain named ${domain.name} with id ${domain.uuid} exists on this host and does not belong to this VM`,
        );
      }
      if (domain.mark.token > token) {
        throw new SlipwayError('SLIPWAY_FENCED', `VM ${vmId} was started by operation ${domain.mark.token}`);
      }
      if (domain.mark.token === token && isAlive(domain)) return true;
      if (domain.state !== 'Stopped') await this.destroy(domain);
    }
    return false;
  }

  #isOwn({ mark }: FoundDomain): boolean {
    return mark?.installationId === this.#owner.installationId && mark.hostId === this.#owner.hostId;
  }
}

export const isAlive = <Domain extends { state: DomainState }>(domain: Domain | undefined): domain is Domain =>
  domain?.state === 'Running' || domain?.state === 'Paused';
