import { NETWORK_OFFERINGS, type NetworkOffering } from '../../shared/network-offerings.js';
import { field } from '../protocol/fields.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const listNetworkOfferings = defineCommand({
  name: 'listNetworkOfferings',
  description: 'Lists network offerings. The set is fixed: every offering is there for every zone and account.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the offering.'),
    name: string('Name of the offering.'),
    displaytext: string('Text for people.'),
    guestiptype: string('Type of the network: L2 or User.'),
    specifyvlan: boolean('Whether the VLAN is given when a network is made.'),
    ...withoutEffect({
      zoneid: { type: 'uuid' },
      domainid: { type: 'uuid', since: '4.13' },
      listall: { type: 'boolean' },
      isrecursive: { type: 'boolean' },
    }),
    ...unsupported({
      availability: { type: 'string', harmless: 'optional' },
      forvpc: { type: 'boolean' },
      isdefault: { type: 'boolean', harmless: 'true' },
      istagged: { type: 'boolean' },
      networkid: { type: 'uuid' },
      routingmode: { type: 'string', since: '4.20.0' },
      sourcenatsupported: { type: 'boolean' },
      specifyipranges: { type: 'boolean' },
      state: { type: 'string', harmless: 'enabled' },
      supportedservices: { type: 'list' },
      tags: { type: 'string', maxLength: 4096 },
      traffictype: { type: 'string', harmless: 'guest' },
    }),
  },
  response: {
    objectName: 'networkoffering',
    fields: {
      id: field('string', 'ID of the offering; the same in every installation.'),
      name: field('string', 'Name.'),
      displaytext: field('string', 'Text for people.'),
      guestiptype: field('string', 'Type of the network: L2 or User.'),
      specifyvlan: field('boolean', 'Whether the VLAN is given when a network is made.'),
      traffictype: field('string', 'Always Guest.'),
      availability: field('string', 'Always Optional.'),
      state: field('string', 'Always Enabled.'),
      isdefault: field('boolean', 'Always true.'),
      conservemode: field('boolean', 'Always true.'),
      specifyipranges: field('boolean', 'Always false.'),
      ispersistent: field('boolean', 'Always true.'),
      forvpc: field('boolean', 'Always false.'),
      service: field('list', 'Services of the network; always empty.'),
    },
  },
  async handle(args) {
    const isMeant = (offering: NetworkOffering): boolean =>
      [
        args.id === undefined || offering.id === args.id,
        args.name === undefined || isText(offering.name, args.name),
        args.displaytext === undefined || isText(offering.displayText, args.displaytext),
        args.guestiptype === undefined || isText(offering.guestType, args.guestiptype),
        args.specifyvlan === undefined || offering.specifyVlan === args.specifyvlan,
        args.keyword === undefined || offering.name.toLowerCase().includes(args.keyword.toLowerCase()),
      ].every(Boolean);
    const meant = NETWORK_OFFERINGS.filter(isMeant);
    const { limit, offset } = pageOf(args);
    return { count: meant.length, items: meant.slice(offset, offset + limit).map(response) };
  },
});

const isText = (text: string, other: string): boolean => text.toLowerCase() === other.toLowerCase();

const response = (offering: NetworkOffering) => ({
  id: offering.id,
  name: offering.name,
  displaytext: offering.displayText,
  guestiptype: offering.guestType,
  specifyvlan: offering.specifyVlan,
  traffictype: 'Guest',
  availability: 'Optional',
  state: 'Enabled',
  isdefault: true,
  conservemode: true,
  specifyipranges: false,
  ispersistent: true,
  forvpc: false,
  service: [],
});
