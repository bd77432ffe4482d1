import { HOST_STATUSES } from '../../db/schema/index.js';
import { listHosts as readHosts } from '../../db/reads/list-hosts.js';
import { apiDate } from '../protocol/envelope.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
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
    resourcestate: oneOf(['Enabled', 'Disabled', 'Maintenance'], 'Resource state.'),
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
    fields: {
      id: field('string', 'ID of the host.'),
      name: field('string', 'Name.'),
      state: field('string', HOST_STATUSES.join(', ')),
      type: field('string', 'Always Routing.'),
      zoneid: field('string', 'ID of the zone.'),
      zonename: field('string', 'Name of the zone.'),
      podid: field('string', 'ID of the pod.'),
      podname: field('string', 'Name of the pod.'),
      clusterid: field('string', 'ID of the cluster.'),
      clustername: field('string', 'Name of the cluster.'),
      hypervisor: field('string', 'Always KVM.'),
      hypervisorversion: field('string', 'Version of QEMU as the host reports it.'),
      domaintype: field(
        'string',
        'kvm, or qemu where KVM cannot be used (slower). Slipway has this key, CloudStack has not.',
      ),
      cpunumber: field('integer', 'CPUs.'),
      cpuspeed: field('long', 'MHz of each CPU.'),
      cpuallocatedvalue: field('long', 'MHz that virtual machines hold.'),
      cpuallocated: field('string', 'The same in per cent.'),
      memorytotal: field('long', 'Bytes of memory.'),
      memoryallocated: field('long', 'Bytes of memory that virtual machines hold.'),
      memoryallocatedbytes: field('long', 'Bytes of memory that virtual machines hold.'),
      lastpinged: field('date', 'When the host was last heard of.'),
      created: field('date', 'When the host was added.'),
      resourcestate: field('string', 'Enabled, Disabled or Maintenance.'),
      arch: field('string', 'CPU architecture.'),
      islocalstorageactive: field('boolean', 'Always true.'),
    },
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
    return {
      count,
      items: rows.map(({ host, ...names }) => ({
        id: host.id,
        name: host.name,
        state: host.status,
        type: host.type,
        zoneid: host.dataCenterId,
        zonename: names.zoneName,
        podid: host.podId,
        podname: names.podName,
        clusterid: host.clusterId,
        clustername: names.clusterName,
        hypervisor: host.hypervisorType,
        hypervisorversion: host.hypervisorVersion,
        domaintype: host.domainType,
        cpunumber: host.cpus,
        cpuspeed: host.speedMhz,
        cpuallocatedvalue: host.cpuUsedMhz,
        cpuallocated: percent(host.cpuUsedMhz, host.cpus * host.speedMhz),
        memorytotal: host.ramBytes,
        memoryallocated: host.ramUsedBytes,
        memoryallocatedbytes: host.ramUsedBytes,
        lastpinged: apiDate(host.lastPinged),
        created: apiDate(host.created),
        resourcestate: host.resourceState,
        arch: host.arch,
        islocalstorageactive: true,
      })),
    };
  },
});

/** A host that has not said hello yet has no capacity to take a share of. */
const percent = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(2)}%`;
