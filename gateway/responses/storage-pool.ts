import type { ListedStoragePool, PoolProblem } from '../../db/reads/list-storage-pools.js';
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
  state: field('string', 'Up, Disabled or Maintenance.'),
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
  disksizetotal: field('long', 'Bytes of the file system.'),
  disksizeused: field('long', 'Bytes in use on the file system, whoever uses them.'),
  disksizeallocated: field('long', 'Bytes promised to volumes and taken by templates.'),
} as const;

/** @param problems of this pool, and of others */
export function storagePoolResponse(
  row: ListedStoragePool,
  problems: readonly PoolProblem[],
): ResponseOf<typeof storagePoolFields> {
  const { pool } = row;
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
    state: pool.status,
    tags: pool.tags.join(','),
    problems: problems
      .filter(({ poolId }) => poolId === pool.id)
      .map(({ hostId, hostName, problem }) => ({ hostid: hostId, hostname: hostName, problem })),
    hypervisor: 'KVM',
    disksizetotal: pool.capacityBytes,
    disksizeused: pool.usedBytes,
    disksizeallocated: pool.allocatedBytes + pool.templateBytes,
  };
}
