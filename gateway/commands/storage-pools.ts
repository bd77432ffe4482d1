import { listStoragePools as readStoragePools, SHOWN_POOL_STATUSES } from '../../db/reads/list-storage-pools.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { shownStoragePools } from '../responses/shown-storage-pools.js';
import { storagePoolFields } from '../responses/storage-pool.js';
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
    status: oneOf(SHOWN_POOL_STATUSES, 'Status.'),
    ipaddress: string('Server of a NetworkFilesystem.'),
    path: string('Where it is on that server, or on every host that has it.'),
    ...withoutEffect({ storagecustomstats: { type: 'boolean', since: '4.18.1' } }),
    ...unsupported({
      storageaccessgroup: { type: 'string', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'storagepool',
    fields: storagePoolFields,
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
      ipAddress: args.ipaddress,
      path: args.path,
      keyword: args.keyword,
    };
    const { count, rows } = await readStoragePools(db, filter, pageOf(args));
    return { count, items: await shownStoragePools(db, rows) };
  },
});
