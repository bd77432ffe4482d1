/** What a host needs to start a VM: libvirt's words, no paths outside a pool. */
export interface DomainSpec {
  vmId: string;
  /** CloudStack's instance name; the libvirt domain's name. */
  instanceName: string;
  displayName: string;
  cpus: number;
  memoryBytes: number;
  /** Pool and file name of the root disk. */
  poolId: string;
  rootVolume: string;
}
