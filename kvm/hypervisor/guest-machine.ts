import { createDomain } from './create-domain.js';
import { buildProbeXml } from './domain-xml.js';
import { readNodeInfo } from './node-info.js';
import type { Virsh } from './virsh.js';

/** What does not change while this process runs. */
export interface GuestMachine {
  arch: string;
  /** Where only the speed of the moment is known, the first that was seen: capacity must not change with every look. */
  cpuSpeedMhz: number;
  domainType: 'kvm' | 'qemu';
}

/**
 * Finds out, once, which kind of domain really starts. libvirt's own word (`domcapabilities`) is had with rights that
 * VMs do not have: it says yes to a /dev/kvm that QEMU's user cannot open. So a VM that does nothing is started.
 */
export function createMachineFinder(virsh: Virsh, hostId: string): () => Promise<GuestMachine> {
  let found: Promise<GuestMachine> | undefined;
  return () => {
    found ??= findMachine(virsh, hostId).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

async function findMachine(virsh: Virsh, hostId: string): Promise<GuestMachine> {
  const { arch, cpuSpeedMhz } = await readNodeInfo(virsh);
  if (!(await succeeds(virsh.run(['domcapabilities', '--virttype', 'kvm'])))) {
    // Tells "no KVM" from "no libvirt".
    await virsh.run(['domcapabilities', '--virttype', 'qemu']);
    return { arch, cpuSpeedMhz, domainType: 'qemu' };
  }
  // Ends by itself with the connection that made it, also when this process dies.
  const probe = createDomain(virsh, buildProbeXml(`slipway-probe-${hostId}`, arch), ['--paused', '--autodestroy']);
  return { arch, cpuSpeedMhz, domainType: (await succeeds(probe)) ? 'kvm' : 'qemu' };
}

const succeeds = (work: Promise<unknown>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );
