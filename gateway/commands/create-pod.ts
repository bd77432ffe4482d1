import { createPod as insertPod } from '../../db/pods.js';
import { findPod } from '../../db/reads/list-pods.js';
import { field } from '../protocol/fields.js';
import { ipv4 } from '../protocol/ip-address.js';
import { required, string, uuid, withDefault } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { podFields, podResponse } from '../responses/pod.js';
import { allocationState } from './allocation-state.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { checkPodNetwork } from './pod-network.js';
import { stillThere } from './still-there.js';

export const createPod = defineCommand({
  name: 'createPod',
  description: 'Makes a pod in a zone. Its addresses are kept and shown: Slipway hands out none.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    name: required(string('Name of the pod; another one of the zone has another.')),
    zoneid: required(uuid('ID of the zone.')),
    gateway: ipv4('Gateway of its hosts.'),
    netmask: ipv4('Netmask of its hosts.'),
    startip: ipv4('First address.'),
    endip: ipv4('Last address.'),
    allocationstate: withDefault(allocationState('Whether it takes virtual machines; Enabled when absent.'), 'Enabled'),
    ...unsupported({ storageaccessgroups: { type: 'list', since: '4.21.0' } }),
  },
  response: { objectName: 'pod', fields: { pod: field('object', 'The pod.', podFields) } },
  async handle(args, { db, caller, command }) {
    const network = { gateway: args.gateway, netmask: args.netmask, startIp: args.startip, endIp: args.endip };
    checkPodNetwork(network);
    const { name, zoneid: zoneId, allocationstate } = args;
    const id = await insertPod(db, caller, { name, zoneId, allocationState: allocationstate, ...network });
    if (id === undefined) throw noSuchEntity(command, 'zoneid', zoneId);
    return { pod: podResponse(stillThere(await findPod(db, id), id, { command })) };
  },
});
