import { listClusters as readClusters } from '../../db/reads/list-clusters.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, string, uuid, withDefault } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { clusterFields, clusterResponse } from '../responses/cluster.js';
import { allocationState } from './allocation-state.js';
import { optionalCapacityReader } from './capacities.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const listClusters = defineCommand({
  name: 'listClusters',
  description: 'Lists clusters.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    id: uuid('ID of the cluster.'),
    name: string('Name of the cluster.'),
    zoneid: uuid('ID of the zone.'),
    podid: uuid('ID of the pod.'),
    hypervisor: string('Hypervisor.'),
    arch: string('CPU architecture.', { since: '4.20.1' }),
    allocationstate: allocationState('Allocation state.'),
    showcapacities: withDefault(boolean('Whether what it has and what is held of it is shown.'), false),
    ...unsupported({
      clustertype: { type: 'string', harmless: 'cloudmanaged' },
      managedstate: { type: 'string', harmless: 'managed' },
      storageaccessgroup: { type: 'string', since: '4.21.0' },
    }),
  },
  response: { objectName: 'cluster', fields: clusterFields },
  async handle(args, { db }) {
    const { id, name, zoneid: zoneId, podid: podId, hypervisor, arch, allocationstate, keyword } = args;
    const filter = { id, name, zoneId, podId, hypervisor, arch, allocationState: allocationstate, keyword };
    const { count, rows } = await readClusters(db, filter, pageOf(args));
    const settings = await readScopedSettings(db);
    const capacityOf = await optionalCapacityReader(db, args.showcapacities);
    return {
      count,
      items: rows.map((row) => {
        const { cluster, zoneName, podName } = row;
        const zone = { zoneid: cluster.dataCenterId, zonename: zoneName };
        const place = {
          ...zone,
          podid: cluster.podId,
          podname: podName,
          clusterid: cluster.id,
          clustername: cluster.name,
        };
        return clusterResponse(row, settings, capacityOf(place));
      }),
    };
  },
});
