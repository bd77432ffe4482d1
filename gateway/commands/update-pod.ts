import { changePod } from '../../db/pods.js';
import { findPod } from '../../db/reads/list-pods.js';
import { field } from '../protocol/fields.js';
import { ipv4 } from '../protocol/ip-address.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { podFields, podResponse } from '../responses/pod.js';
import { allocationState } from './allocation-state.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { checkPodNetwork } from './pod-network.js';

export const updatePod = defineCommand({
  name: 'updatePod',
  description: 'Changes what is said of a pod, and whether its hosts take new virtual machines.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the pod.')),
    name: string('New name.'),
    gateway: ipv4('Gateway of its hosts.'),
    netmask: ipv4('Netmask of its hosts.'),
    startip: ipv4('First address.'),
    endip: ipv4('Last address.'),
    allocationstate: allocationState('Hosts of a Disabled pod take no new virtual machines, and start none.'),
  },
  response: { objectName: 'pod', fields: { pod: field('object', 'The pod.', podFields) } },
  async handle(args, { db, caller, command }) {
    const { id } = args;
    const before = await findPod(db, id);
    if (!before) throw noSuchEntity(command, 'id', id);
    const { gateway = before.pod.gateway, netmask = before.pod.netmask } = args;
    const { startip: startIp = before.pod.startIp, endip: endIp = before.pod.endIp } = args;
    checkPodNetwork({ gateway, netmask, startIp, endIp });
    const isKnown = await changePod(db, caller, id, {
      name: args.name,
      allocationState: args.allocationstate,
      gateway: args.gateway,
      netmask: args.netmask,
      startIp: args.startip,
      endIp: args.endip,
    });
    const pod = isKnown ? await findPod(db, id) : undefined;
    if (!pod) throw noSuchEntity(command, 'id', id);
    return { pod: podResponse(pod) };
  },
});
