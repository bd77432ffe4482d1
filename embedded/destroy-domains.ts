import { LibvirtDriver } from '../kvm/hypervisor/libvirt-driver.js';
import type { LocalHost } from './join-host.js';

/** Ends the virtual machines of a local host whose worker has been stopped: they would outlive their disks. */
export async function destroyDomains(host: LocalHost, installationId: string): Promise<void> {
  const driver = new LibvirtDriver({
    uri: host.libvirtUri,
    installationId,
    hostId: host.id,
    consoleDirectory: host.consoleDirectory,
    poolPath: () => host.poolPath,
  });
  for (const { vmId } of await driver.listDomains()) await driver.destroyDomain(vmId);
}
