import { createDomain } from './create-domain.js';
import { buildProbeXml } from './domain-xml.js';
import type { Virsh } from './virsh.js';

/**
 * Finds out, once, which type of domain really starts. libvirt's own word (`domcapabilities`) is had with rights that
 * VMs do not have: it says yes to a /dev/kvm that QEMU's user cannot open. So a VM that does nothing is started.
 */
export function createDomainTypeFinder(virsh: Virsh, hostId: string): (arch: string) => Promise<'kvm' | 'qemu'> {
  let found: Promise<'kvm' | 'qemu'> | undefined;
  return (arch) => {
    found ??= findDomainType(virsh, hostId, arch).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

async function findDomainType(virsh: Virsh, hostId: string, arch: string): Promise<'kvm' | 'qemu'> {
  if (!(await succeeds(virsh.run(['domcapabilities', '--virttype', 'kvm'])))) {
    // Tells "no KVM" from "no libvirt".
    await virsh.run(['domcapabilities', '--virttype', 'qemu']);
    return 'qemu';
  }
  // Ends by itself with the connection that made it, also when this process dies.
  const probe = createDomain(virsh, buildProbeXml(`slipway-probe-${hostId}`, arch), ['--paused', '--autodestroy']);
  return (await succeeds(probe)) ? 'kvm' : 'qemu';
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
