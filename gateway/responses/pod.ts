import type { ListedPod } from '../../db/reads/list-pods.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { capacityFields, type CapacityResponse } from './capacity.js';

export const podFields = {
  id: field('string', 'ID of the pod.'),
  name: field('string', 'Name.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  gateway: field('string', 'Gateway of its hosts, as it was given.'),
  netmask: field('string', 'Netmask of its hosts, as it was given.'),
  startip: field('list', 'First address, as it was given; not there if it was not.'),
  endip: field('list', 'Last address, as it was given; not there if it was not.'),
  allocationstate: field('string', 'Enabled, or Disabled: its hosts take no new virtual machines, and start none.'),
  capacity: field('list', 'With showcapacities: what it has and what is held of it.', capacityFields),
} as const;

export const podResponse = (
  { pod, zoneName }: ListedPod,
  capacity?: CapacityResponse[],
): ResponseOf<typeof podFields> => ({
  id: pod.id,
  name: pod.name,
  zoneid: pod.dataCenterId,
  zonename: zoneName,
  gateway: pod.gateway,
  netmask: pod.netmask,
  // Clients of CloudStack, where a pod has both, take the first of a list that is there.
  startip: pod.startIp === null ? undefined : [pod.startIp],
  endip: pod.endIp === null ? undefined : [pod.endIp],
  allocationstate: pod.allocationState,
  capacity,
});
