import type { ListedCluster } from '../../db/reads/list-clusters.js';
import type { ScopedSettings } from '../../shared/scoped-settings.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { capacityFields, type CapacityResponse } from './capacity.js';

export const clusterFields = {
  id: field('string', 'ID of the cluster.'),
  name: field('string', 'Name.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  podid: field('string', 'ID of the pod.'),
  podname: field('string', 'Name of the pod.'),
  hypervisortype: field('string', 'Always KVM.'),
  clustertype: field('string', 'Always CloudManaged.'),
  allocationstate: field('string', 'Enabled, or Disabled: its hosts take no new virtual machines, and start none.'),
  managedstate: field('string', 'Always Managed.'),
  arch: field('string', 'CPU architecture of its hosts, as it was given. A host reports its own.'),
  cpuovercommitratio: field('string', 'How many times the CPU of its hosts may be promised.'),
  memoryovercommitratio: field('string', 'How many times the memory of its hosts may be promised.'),
  capacity: field('list', 'With showcapacities: what it has and what is held of it.', capacityFields),
} as const;

export function clusterResponse(
  { cluster, zoneName, podName }: ListedCluster,
  settings: ScopedSettings,
  capacity?: CapacityResponse[],
): ResponseOf<typeof clusterFields> {
  const own = settings.at({ zoneId: cluster.dataCenterId, clusterId: cluster.id });
  return {
    id: cluster.id,
    name: cluster.name,
    zoneid: cluster.dataCenterId,
    zonename: zoneName,
    podid: cluster.podId,
    podname: podName,
    hypervisortype: cluster.hypervisorType,
    clustertype: 'CloudManaged',
    allocationstate: cluster.allocationState,
    managedstate: 'Managed',
    arch: cluster.arch ?? undefined,
    cpuovercommitratio: own['cpu.overprovisioning.factor'],
    memoryovercommitratio: own['mem.overprovisioning.factor'],
    capacity,
  };
}
