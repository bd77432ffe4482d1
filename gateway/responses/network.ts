import type { Caller } from '../../db/reads/find-caller.js';
import type { ListedNetwork } from '../../db/reads/list-networks.js';
import { offeringOf } from '../../shared/network-offerings.js';
import { apiDate } from '../protocol/envelope.js';
import { shownDomainPath } from '../protocol/domain-path.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { tagFields, tagResponses } from './tag.js';

export const networkFields = {
  id: field('string', 'ID of the network.'),
  name: field('string', 'Name.'),
  displaytext: field('string', 'Text for people.'),
  type: field('string', 'L2, or User: the network of QEMU itself. Slipway has that type, CloudStack has not.'),
  traffictype: field('string', 'Always Guest.'),
  broadcastdomaintype: field('string', 'Vlan, or Native for a network without one.'),
  broadcasturi: field('string', 'The VLAN as a URI; for root admins.'),
  vlan: field('string', 'The VLAN; for root admins.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  networkofferingid: field('string', 'ID of the offering it was made of.'),
  networkofferingname: field('string', 'Name of the offering.'),
  networkofferingdisplaytext: field('string', 'Display text of the offering.'),
  networkofferingavailability: field('string', 'Always Optional.'),
  networkofferingconservemode: field('boolean', 'Always true.'),
  specifyvlan: field('boolean', 'Whether its VLAN was given.'),
  specifyipranges: field('boolean', 'Always false.'),
  state: field('string', 'Always Implemented.'),
  acltype: field('string', 'Account: for the account that owns it. Domain: for everybody.'),
  account: field('string', 'Account that owns it.'),
  domainid: field('string', 'ID of the domain of the account.'),
  domain: field('string', 'Name of the domain of the account.'),
  domainpath: field('string', 'Path of the domain of the account.'),
  isdefault: field('boolean', 'Whether a virtual machine gets it when nobody names a network.'),
  issystem: field('boolean', 'Always false.'),
  canusefordeploy: field('boolean', 'Always true; of a User network the setting allow.user.network has the last word.'),
  restartrequired: field('boolean', 'Always false.'),
  ispersistent: field('boolean', 'Always true.'),
  displaynetwork: field('boolean', 'Always true.'),
  related: field('string', 'ID of the network.'),
  created: field('date', 'When it was made.'),
  service: field('list', 'Services of the network; always empty.'),
  tags: field('list', 'Resource tags.', tagFields),
} as const;

/** VLANs are the operator's business: only a root admin sees them. */
export function networkResponse(row: ListedNetwork, caller: Caller): ResponseOf<typeof networkFields> {
  const { network } = row;
  const offering = offeringOf(network);
  const isShown = caller.role === 'Admin' && network.vlan !== null;
  return {
    id: network.id,
    name: network.name,
    displaytext: network.displayText,
    type: network.guestType,
    traffictype: 'Guest',
    broadcastdomaintype: network.vlan === null ? 'Native' : 'Vlan',
    broadcasturi: isShown ? `vlan://${network.vlan}` : undefined,
    vlan: isShown ? String(network.vlan) : undefined,
    zoneid: network.dataCenterId,
    zonename: row.zoneName,
    networkofferingid: offering.id,
    networkofferingname: offering.name,
    networkofferingdisplaytext: offering.displayText,
    networkofferingavailability: 'Optional',
    networkofferingconservemode: true,
    specifyvlan: offering.specifyVlan,
    specifyipranges: false,
    state: 'Implemented',
    acltype: network.accountId === null ? 'Domain' : 'Account',
    account: row.accountName,
    domainid: row.domainId,
    domain: row.domainName,
    domainpath: row.domainPath === null ? undefined : shownDomainPath(row.domainPath),
    isdefault: network.guestType === 'User',
    issystem: false,
    canusefordeploy: true,
    restartrequired: false,
    ispersistent: true,
    displaynetwork: true,
    related: network.id,
    created: apiDate(network.created),
    service: [],
    tags: tagResponses(row.tags, { type: 'Network', id: network.id }, row),
  };
}
