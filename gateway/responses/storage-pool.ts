import { type ListedStoragePool, type PoolProblem, SHOWN_POOL_STATUSES } from '../../db/reads/list-storage-pools.js';
import type { ScopedSettings } from '../../shared/scoped-settings.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const storagePoolFields = {
  id: field('string', 'ID of the pool.'),
  name: field('string', 'Name.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  podid: field('string', 'ID of the pod.'),
  podname: field('string', 'Name of the pod.'),
  clusterid: field('string', 'ID of the cluster.'),
  clustername: field('string', 'Name of the cluster.'),
  created: field('date', 'When the pool was added.'),
  type: field('string', 'Filesystem, NetworkFilesystem or SharedMountPoint.'),
  scope: field('string', 'HOST, CLUSTER or ZONE.'),
  ipaddress: field('string', 'Server of a NetworkFilesystem, as it was given.'),
  path: field('string', 'Where it is on that server, or on every host that has it.'),
  state: field('string', `${SHOWN_POOL_STATUSES.join(', ')}. It is Initialized as long as no host can use it.`),
  tags: field('string', 'Tags, comma separated.'),
  problems: field(
    'list',
    'Hosts that cannot use it at present, each with its reason. Slipway has this key, CloudStack has not.',
    {
      hostid: field('string', 'ID of the host.'),
      hostname: field('string', 'Name of the host.'),
      problem: field('string', 'What the host says: not mounted, read-only, silent.'),
    },
  ),
  hypervisor: field('string', 'Always KVM.'),
  provider: field('string', 'Always DefaultPrimary.'),
  managed: field('boolean', 'Always false.'),
  istagarule: field('boolean', 'Always false.'),
  overprovisionfactor: field('string', 'How many times its space may be promised.'),
  disksizetotal: field('long', 'Bytes of the file system.'),
  disksizeused: field('long', 'Bytes in use on the file system, whoever uses them.'),
  disksizeallocated: field('long', 'Bytes promised to volumes and taken by templates.'),
} as const;

/** @param problems of this pool, and of others */
export function storagePoolResponse(
  row: ListedStoragePool,
  problems: readonly PoolProblem[],
  settings: ScopedSettings,
): ResponseOf<typeof storagePoolFields> {
  const { pool } = row;
  const place = { zoneId: pool.dataCenterId, clusterId: pool.clusterId, poolId: pool.id };
  return {
    id: pool.id,
    name: pool.name,
    zoneid: pool.dataCenterId,
    zonename: row.zoneName,
    podid: pool.podId,
    podname: row.podName,
    clusterid: pool.clusterId,
    clustername: row.clusterName,
    created: apiDate(pool.created),
    type: pool.poolType,
    scope: pool.scope,
    ipaddress: pool.poolType === 'NetworkFilesystem' ? pool.hostAddress : undefined,
    path: row.shownPath,
    state: row.shownStatus,
    // As in the list of hosts.
    tags: pool.tags.join(',') || undefined,
    problems: problems
      .filter(({ poolId }) => poolId === pool.id)
      .map(({ hostId, hostName, problem }) => ({ hostid: hostId, hostname: hostName, problem })),
    hypervisor: 'KVM',
    provider: 'DefaultPrimary',
    managed: false,
    istagarule: false,
    overprovisionfactor: settings.at(place)['storage.overprovisioning.factor'],
    disksizetotal: pool.capacityBytes,
    disksizeused: pool.usedBytes,
    disksizeallocated: pool.allocatedBytes + pool.templateBytes,
  };
}
