import { findZone } from '../../db/reads/list-zones.js';
import { createZone as insertZone } from '../../db/zones.js';
import { field } from '../protocol/fields.js';
import { ipv4, ipv6 } from '../protocol/ip-address.js';
import { oneOf, required, string, withDefault } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { zoneFields, zoneResponse } from '../responses/zone.js';
import { allocationState } from './allocation-state.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { advancedOnly, checkCidr } from './zone-parameters.js';
import { stillThere } from './still-there.js';

export const createZone = defineCommand({
  name: 'createZone',
  description:
    'Makes a zone, with the network that virtual machines get there when nobody names one. Addresses and the domain are ' +
    'kept and shown: Slipway hands out no addresses.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    name: required(string('Name of the zone.')),
    networktype: required(advancedOnly(oneOf(['Basic', 'Advanced'], 'Network type; Basic is refused.'))),
    dns1: required(ipv4('First DNS server.')),
    internaldns1: required(ipv4('First internal DNS server.')),
    dns2: ipv4('Second DNS server.'),
    internaldns2: ipv4('Second internal DNS server.'),
    ip6dns1: ipv6('First DNS server by IPv6.'),
    ip6dns2: ipv6('Second DNS server by IPv6.'),
    guestcidraddress: string('CIDR of guests.'),
    domain: string('Network domain.'),
    allocationstate: withDefault(allocationState('Whether it takes virtual machines; Enabled when absent.'), 'Enabled'),
    ...withoutEffect({ localstorageenabled: { type: 'boolean' } }),
    ...unsupported({
      domainid: { type: 'uuid' },
      isedge: { type: 'boolean', since: '4.18.0' },
      securitygroupenabled: { type: 'boolean' },
      storageaccessgroups: { type: 'list', since: '4.21.0' },
    }),
  },
  response: { objectName: 'zone', fields: { zone: field('object', 'The zone.', zoneFields) } },
  async handle(args, { db, caller, command }) {
    checkCidr(args.guestcidraddress);
    const id = await insertZone(db, caller, {
      name: args.name,
      allocationState: args.allocationstate,
      dns1: args.dns1,
      dns2: args.dns2,
      ip6Dns1: args.ip6dns1,
      ip6Dns2: args.ip6dns2,
      internalDns1: args.internaldns1,
      internalDns2: args.internaldns2,
      guestNetworkCidr: args.guestcidraddress,
      domain: args.domain,
    });
    return { zone: zoneResponse(stillThere(await findZone(db, id), id, { command }), caller) };
  },
});
