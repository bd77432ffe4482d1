import { listHosts as readHosts } from '../../db/reads/list-hosts.js';
import { HOST_RESOURCE_STATES, HOST_STATUSES } from '../../db/schema/index.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { hostFields, hostResponse } from '../responses/host.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const listHosts = defineCommand({
  name: 'listHosts',
  description: 'Lists KVM hosts.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    id: uuid('ID of the host.'),
    name: string('Name of the host.'),
    zoneid: uuid('ID of the zone.'),
    podid: uuid('ID of the pod.'),
    clusterid: uuid('ID of the cluster.'),
    type: string('Type of the host; all are Routing.'),
    state: oneOf(HOST_STATUSES, 'State.'),
    resourcestate: oneOf(HOST_RESOURCE_STATES, 'Resource state.'),
    arch: string('CPU architecture.', { since: '4.20.1' }),
    ...withoutEffect({ details: { type: 'list' } }),
    ...unsupported({
      virtualmachineid: { type: 'uuid' },
      outofbandmanagementenabled: { type: 'boolean' },
      outofbandmanagementpowerstate: { type: 'string' },
      hahost: { type: 'boolean' },
      hypervisor: { type: 'string', harmless: 'kvm' },
      managementserverid: { type: 'uuid', since: '4.21.0' },
      storageaccessgroup: { type: 'string', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'host',
    fields: hostFields,
  },
  async handle(args, { db }) {
    const filter = {
      id: args.id,
      name: args.name,
      zoneId: args.zoneid,
      podId: args.podid,
      clusterId: args.clusterid,
      type: args.type,
      state: args.state,
      resourceState: args.resourcestate,
      arch: args.arch,
      keyword: args.keyword,
    };
    const { count, rows } = await readHosts(db, filter, pageOf(args));
    const settings = await readScopedSettings(db);
    const settingsOf = ({ host }: (typeof rows)[number]) =>
      settings.at({ zoneId: host.dataCenterId, clusterId: host.clusterId });
    return { count, items: rows.map((row) => hostResponse(row, settingsOf(row))) };
  },
});
