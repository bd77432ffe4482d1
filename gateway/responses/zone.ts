import type { Caller } from '../../db/reads/find-caller.js';
import type { ZoneRow } from '../../db/reads/list-zones.js';
import { field, type ResponseOf } from '../protocol/fields.js';
import { capacityFields, type CapacityResponse } from './capacity.js';

export const zoneFields = {
  id: field('string', 'ID of the zone.'),
  name: field('string', 'Name.'),
  networktype: field('string', 'Basic or Advanced.'),
  securitygroupsenabled: field('boolean', 'Always false.'),
  localstorageenabled: field('boolean', 'Always true: a pool may belong to one host.'),
  allocationstate: field('string', 'Enabled, or Disabled: it takes no new virtual machines, and starts none.'),
  type: field('string', 'Always Core.'),
  domain: field('string', 'Network domain, as it was given.'),
  dns1: field('string', 'First DNS server, as it was given; for root admins, as are the others.'),
  dns2: field('string', 'Second DNS server.'),
  ip6dns1: field('string', 'First DNS server by IPv6.'),
  ip6dns2: field('string', 'Second DNS server by IPv6.'),
  internaldns1: field('string', 'First internal DNS server.'),
  internaldns2: field('string', 'Second internal DNS server.'),
  guestcidraddress: field('string', 'CIDR of guests, as it was given; for root admins.'),
  capacity: field('list', 'With showcapacities: what it has and what is held of it; for root admins.', capacityFields),
  sortkey: field('integer', 'Where it comes in lists. Slipway has this key, CloudStack has not.'),
  tags: field('list', 'Resource tags; always empty.'),
} as const;

/** How the zone is built is the operator's business: only a root admin sees it. */
export function zoneResponse(
  zone: ZoneRow,
  caller: Caller,
  capacity?: CapacityResponse[],
): ResponseOf<typeof zoneFields> {
  const built = {
    dns1: zone.dns1,
    dns2: zone.dns2,
    ip6dns1: zone.ip6Dns1,
    ip6dns2: zone.ip6Dns2,
    internaldns1: zone.internalDns1,
    internaldns2: zone.internalDns2,
    guestcidraddress: zone.guestNetworkCidr,
    capacity,
  };
  return {
    id: zone.id,
    name: zone.name,
    networktype: zone.networktype,
    securitygroupsenabled: false,
    localstorageenabled: true,
    allocationstate: zone.allocationState,
    type: 'Core',
    sortkey: zone.sortKey,
    domain: zone.domain,
    ...(caller.role === 'Admin' ? built : {}),
    tags: [],
  };
}
