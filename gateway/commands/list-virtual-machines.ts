import { listVirtualMachines as readVirtualMachines } from '../../db/reads/list-virtual-machines.js';
import { VM_STATES } from '../../db/schema/index.js';
import { countParameters, idsOf, listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid, uuids } from '../protocol/parameters.js';
import { tagPairs } from '../protocol/tag-pairs.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { virtualMachineFields, virtualMachineResponse } from '../responses/virtual-machine.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { refuseToOthers } from './refuse-to-others.js';

export const listVirtualMachines = defineCommand({
  name: 'listVirtualMachines',
  description: 'Lists virtual machines: those of the caller, for a root admin all. Expunged ones are never listed.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...countParameters,
    id: uuid('ID of the virtual machine.'),
    ids: uuids('IDs of virtual machines, comma separated.', { since: '4.4' }),
    name: string('Only what has this text in its name.'),
    state: oneOf(['Present', ...VM_STATES], 'State; Present is every one but Destroyed and Expunging.'),
    zoneid: uuid('ID of the zone.'),
    hostid: uuid('ID of the host; for root admins.'),
    clusterid: uuid('ID of the cluster of the host that it is on, or was on last; for root admins.', {
      since: '4.16.0',
    }),
    podid: uuid('ID of the pod of that host; for root admins.'),
    storageid: uuid('ID of the pool of its root disk; for root admins.'),
    templateid: uuid('ID of the template.'),
    serviceofferingid: uuid('ID of the service offering.', { since: '4.4' }),
    ...scopeParameters,
    tags: tagPairs('Only what has one of these tags, as tags[0].key=…&tags[0].value=….'),
    arch: string('CPU architecture.', { since: '4.20.1' }),
    networkid: uuid('ID of a network that it has an interface in.'),
    isoid: uuid('ID of the ISO in its drive.'),
    keypair: string('Name of an SSH key pair that it was deployed with.'),
    ...withoutEffect({
      details: { type: 'list' },
      showicon: { type: 'boolean', since: '4.16.0.0' },
      accumulate: { type: 'boolean', since: '4.17.0' },
      userdata: { type: 'boolean', since: '4.18.0.0' },
    }),
    ...unsupported({
      projectid: { type: 'uuid' },
      groupid: { type: 'uuid' },
      forvirtualnetwork: { type: 'boolean' },
      hypervisor: { type: 'string', harmless: 'kvm' },
      vpcid: { type: 'uuid' },
      affinitygroupid: { type: 'uuid' },
      backupofferingid: { type: 'uuid', since: '4.17' },
      displayvm: { type: 'boolean', since: '4.4', harmless: 'true' },
      userid: { type: 'uuid' },
      securitygroupid: { type: 'uuid', since: '4.15' },
      haenable: { type: 'boolean', since: '4.15' },
      autoscalevmgroupid: { type: 'uuid', since: '4.18.0' },
      userdataid: { type: 'uuid', since: '4.20.1' },
      leased: { type: 'boolean', since: '4.21.0' },
      gpuenabled: { type: 'boolean', since: '4.21.0' },
      extensionid: { type: 'uuid', since: '4.21.0' },
      isvnf: { type: 'boolean', since: '4.19.0' },
    }),
  },
  response: { objectName: 'virtualmachine', fields: virtualMachineFields },
  async handle(args, context) {
    const { db, caller } = context;
    const { hostid, clusterid, podid, storageid } = args;
    refuseToOthers({ hostid, clusterid, podid, storageid }, caller);
    const filter = {
      ids: idsOf(args),
      name: args.name,
      state: args.state,
      zoneId: args.zoneid,
      hostId: hostid,
      clusterId: clusterid,
      podId: podid,
      poolId: storageid,
      templateId: args.templateid,
      serviceOfferingId: args.serviceofferingid,
      scope: await scopeOf(args, context, { hasId: args.id !== undefined || args.ids !== undefined }),
      arch: args.arch,
      networkId: args.networkid,
      isoId: args.isoid,
      keyPair: args.keypair,
      tags: args.tags,
      keyword: args.keyword,
    };
    const { count, rows } = await readVirtualMachines(db, caller, filter, pageOf(args));
    return { count, items: rows.map((row) => virtualMachineResponse(row, caller)) };
  },
});
