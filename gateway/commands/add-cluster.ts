import { createCluster } from '../../db/clusters.js';
import { findCluster } from '../../db/reads/list-clusters.js';
import { CLUSTER_ARCHS } from '../../db/schema/index.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { oneOf, required, string, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { clusterFields, clusterResponse } from '../responses/cluster.js';
import { allocationState } from './allocation-state.js';
import { clusterType, hypervisor } from './cluster-parameters.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { stillThere } from './still-there.js';

export const addCluster = defineCommand({
  name: 'addCluster',
  description: 'Makes a cluster in a pod, for KVM hosts to join. Answers with a list of one, as CloudStack does.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    clustername: required(string('Name of the cluster; another one of the pod has another.')),
    clustertype: required(clusterType()),
    hypervisor: required(hypervisor()),
    zoneid: required(uuid('ID of the zone.')),
    podid: required(uuid('ID of the pod.')),
    arch: withDefault(
      oneOf(CLUSTER_ARCHS, 'CPU architecture of its hosts; x86_64 when absent.', { since: '4.20' }),
      'x86_64',
    ),
    allocationstate: withDefault(allocationState('Whether it takes virtual machines; Enabled when absent.'), 'Enabled'),
    ...unsupported({
      extensionid: { type: 'uuid', since: '4.21.0' },
      externaldetails: { type: 'map', since: '4.21.0' },
      guestvswitchname: { type: 'string' },
      guestvswitchtype: { type: 'string' },
      ovm3cluster: { type: 'string' },
      ovm3pool: { type: 'string' },
      ovm3vip: { type: 'string' },
      password: { type: 'string' },
      publicvswitchname: { type: 'string' },
      publicvswitchtype: { type: 'string' },
      storageaccessgroups: { type: 'list', since: '4.21.0' },
      url: { type: 'string' },
      username: { type: 'string' },
      vsmipaddress: { type: 'string' },
      vsmpassword: { type: 'string' },
      vsmusername: { type: 'string' },
    }),
  },
  response: { objectName: 'cluster', fields: clusterFields },
  async handle(args, { db, caller, command }) {
    const { clustername: name, zoneid: zoneId, podid: podId, arch, allocationstate } = args;
    const id = await createCluster(db, caller, { name, zoneId, podId, arch, allocationState: allocationstate });
    if (id === undefined) throw noSuchEntity(command, 'podid', podId);
    const row = stillThere(await findCluster(db, id), id, { command });
    return { count: 1, items: [clusterResponse(row, await readScopedSettings(db, zoneId))] };
  },
});
