import { changeCluster } from '../../db/clusters.js';
import { findCluster } from '../../db/reads/list-clusters.js';
import { CLUSTER_ARCHS } from '../../db/schema/index.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { field } from '../protocol/fields.js';
import { oneOf, required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { clusterFields, clusterResponse } from '../responses/cluster.js';
import { allocationState } from './allocation-state.js';
import { clusterType, hypervisor } from './cluster-parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const updateCluster = defineCommand({
  name: 'updateCluster',
  description: 'Changes name and architecture of a cluster, and whether its hosts take new virtual machines.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the cluster.')),
    clustername: string('New name.'),
    clustertype: clusterType(),
    hypervisor: hypervisor(),
    arch: oneOf(CLUSTER_ARCHS, 'CPU architecture of its hosts.', { since: '4.20' }),
    allocationstate: allocationState('Hosts of a Disabled cluster take no new virtual machines, and start none.'),
    ...unsupported({
      externaldetails: { type: 'map', since: '4.21.0' },
      managedstate: { type: 'string', harmless: 'managed' },
    }),
  },
  response: { objectName: 'cluster', fields: { cluster: field('object', 'The cluster.', clusterFields) } },
  async handle({ id, clustername: name, arch, allocationstate }, { db, caller, command }) {
    const isKnown = await changeCluster(db, caller, id, { name, arch, allocationState: allocationstate });
    const row = isKnown ? await findCluster(db, id) : undefined;
    if (!row) throw noSuchEntity(command, 'id', id);
    return { cluster: clusterResponse(row, await readScopedSettings(db, row.cluster.dataCenterId)) };
  },
});
