import { field } from '../protocol/fields.js';
import { listParameters } from '../protocol/paging.js';
import { type Command, defineCommand, EVERYBODY } from './define-command.js';
import { scopeParameters } from './list-scope.js';

/** By the name of the command: the key of its list, and what it would have. */
const LISTS = {
  listAffinityGroups: ['affinitygroup', 'affinity groups'],
  listAffinityGroupTypes: ['affinityGroupType', 'types of affinity groups'],
  listEgressFirewallRules: ['firewallrule', 'rules for what leaves a network'],
  listFirewallRules: ['firewallrule', 'firewall rules'],
  listInstanceGroups: ['instancegroup', 'groups of virtual machines'],
  listIpForwardingRules: ['ipforwardingrule', 'rules of static NAT'],
  listLoadBalancerRules: ['loadbalancerrule', 'rules of load balancing'],
  listNetworkACLLists: ['networkacllist', 'lists of access rules'],
  listNetworkACLs: ['networkacl', 'access rules'],
  listPortForwardingRules: ['portforwardingrule', 'rules of port forwarding'],
  listProjects: ['project', 'projects'],
  listPublicIpAddresses: ['publicipaddress', 'public addresses'],
  listRouters: ['router', 'routers'],
  listSecurityGroups: ['securitygroup', 'security groups'],
  listSnapshots: ['snapshot', 'snapshots'],
  listVPCOfferings: ['vpcoffering', 'offerings of virtual private clouds'],
  listVPCs: ['vpc', 'virtual private clouds'],
  listVpnGateways: ['vpngateway', 'VPN gateways'],
} as const;

/**
 * Lists of what Slipway has none of, and that clients ask for on their way: libcloud lists no machine without their public
 * addresses and forwarding rules. That there are none is true; an error would end the client.
 */
export const EMPTY_LISTS: readonly Command[] = Object.entries(LISTS).map(([name, [objectName, what]]) =>
  defineCommand({
    name,
    description: `Lists ${what}: Slipway has none, and the list is always empty.`,
    kind: 'list',
    allowedRoles: EVERYBODY,
    params: { ...listParameters, ...scopeParameters },
    response: { objectName, fields: { id: field('string', 'Never there.') } },
    handle: () => Promise.resolve({ count: 0, items: [] }),
  }),
);
