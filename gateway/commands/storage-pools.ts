import { listStoragePools as readStoragePools } from '../../db/reads/list-storage-pools.js';
import { apiDate } from '../protocol/envelope.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const listStoragePools = defineCommand({
  name: 'listStoragePools',
  description: 'Lists primary storage pools.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    id: uuid('ID of the pool.'),
    name: string('Name of the pool.'),
    zoneid: uuid('ID of the zone.'),
    podid: uuid('ID of the pod.'),
    clusterid: uuid('ID of the cluster.'),
    hostid: uuid('ID of a host that reaches the pool.'),
    scope: oneOf(['HOST', 'CLUSTER', 'ZONE'], 'Scope.'),
    status: oneOf(['Up', 'Maintenance'], 'Status.'),
    ...withoutEffect({ storagecustomstats: { type: 'boolean', since: '4.18.1' } }),
    ...unsupported({
      ipaddress: { type: 'string' },
      path: { type: 'string' },
      storageaccessgroup: { type: 'string', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'storagepool',
    fields: {
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
      state: field('string', 'Up or Maintenance.'),
      hypervisor: field('string', 'Always KVM.'),
      disksizetotal: field('long', 'Bytes of the file system.'),
      disksizeused: field('long', 'Bytes in use on the file system, whoever uses them.'),
      disksizeallocated: field('long', 'Bytes promised to volumes and taken by templates.'),
    },
  },
  async handle(args, { db }) {
    const filter = {
      id: args.id,
      name: args.name,
      zoneId: args.zoneid,
      podId: args.podid,
      clusterId: args.clusterid,
      hostId: args.hostid,
      scope: args.scope,
      status: args.status,
      keyword: args.keyword,
    };
    const { count, rows } = await readStoragePools(db, filter, pageOf(args));
    return {
      count,
      items: rows.map(({ pool, ...names }) => ({
        id: pool.id,
        name: pool.name,
        zoneid: pool.dataCenterId,
        zonename: names.zoneName,
        podid: pool.podId,
        podname: names.podName,
        clusterid: pool.clusterId,
        clustername: names.clusterName,
        created: apiDate(pool.created),
        type: pool.poolType,
        scope: pool.scope,
        state: pool.status,
        hypervisor: 'KVM',
        disksizetotal: pool.capacityBytes,
        disksizeused: pool.usedBytes,
        disksizeallocated: pool.allocatedBytes + pool.templateBytes,
      })),
    };
  },
});
