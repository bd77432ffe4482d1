import { findZone } from '../../db/reads/list-zones.js';
import { changeZone } from '../../db/zones.js';
import { field } from '../protocol/fields.js';
import { ipv4, newIpv4, newIpv6 } from '../protocol/ip-address.js';
import { required, string, stringOrEmpty, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { zoneFields, zoneResponse } from '../responses/zone.js';
import { allocationState } from './allocation-state.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { sortKeyParameter } from './sort-order.js';
import { checkCidr, orNone } from './zone-parameters.js';

export const updateZone = defineCommand({
  name: 'updateZone',
  description: 'Changes what is said of a zone, and whether it takes new virtual machines.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the zone.')),
    name: string('New name.'),
    allocationstate: allocationState(
      'A Disabled zone takes no new virtual machines, and starts none; what runs goes on.',
    ),
    dns1: ipv4('First DNS server.'),
    internaldns1: ipv4('First internal DNS server.'),
    dns2: newIpv4('Second DNS server.'),
    internaldns2: newIpv4('Second internal DNS server.'),
    ip6dns1: newIpv6('First DNS server by IPv6.'),
    ip6dns2: newIpv6('Second DNS server by IPv6.'),
    guestcidraddress: stringOrEmpty('CIDR of guests. Empty for none.'),
    domain: stringOrEmpty('Network domain. Empty for none.'),
    ...sortKeyParameter,
    ...withoutEffect({ localstorageenabled: { type: 'boolean' }, ispublic: { type: 'boolean' } }),
    ...unsupported({
      details: { type: 'map' },
      dhcpprovider: { type: 'string' },
      dnssearchorder: { type: 'list' },
    }),
  },
  response: { objectName: 'zone', fields: { zone: field('object', 'The zone.', zoneFields) } },
  async handle(args, { db, caller, command }) {
    const { id } = args;
    checkCidr(args.guestcidraddress);
    const isKnown = await changeZone(db, caller, id, {
      name: args.name,
      allocationState: args.allocationstate,
      dns1: args.dns1,
      dns2: orNone(args.dns2),
      ip6Dns1: orNone(args.ip6dns1),
      ip6Dns2: orNone(args.ip6dns2),
      internalDns1: args.internaldns1,
      internalDns2: orNone(args.internaldns2),
      guestNetworkCidr: orNone(args.guestcidraddress),
      domain: orNone(args.domain),
      sortKey: args.sortkey,
    });
    const zone = isKnown ? await findZone(db, id) : undefined;
    if (!zone) throw noSuchEntity(command, 'id', id);
    return { zone: zoneResponse(zone, caller) };
  },
});
