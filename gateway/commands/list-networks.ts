import { listNetworks as readNetworks } from '../../db/reads/list-networks.js';
import { NETWORK_OFFERINGS } from '../../shared/network-offerings.js';
import { countParameters, listParameters, pageOf } from '../protocol/paging.js';
import { integer, oneOf, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { tagPairs } from '../protocol/tag-pairs.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { networkFields, networkResponse } from '../responses/network.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { refuseToOthers } from './refuse-to-others.js';

export const listNetworks = defineCommand({
  name: 'listNetworks',
  description:
    'Lists networks that the caller may put a virtual machine into: their own and those for everybody, for a root ' +
    'admin all.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...countParameters,
    id: uuid('ID of the network.'),
    name: string('Name of the network.', { since: '4.22.0' }),
    zoneid: uuid('ID of the zone.'),
    type: oneOf(['L2', 'User', 'Isolated', 'Shared', 'all'], 'Type; there is none of Isolated and Shared.'),
    networkofferingid: uuid('ID of the network offering.'),
    ...scopeParameters,
    vlan: integer('VLAN of the network; for root admins.', { min: 1, max: 4094, since: '4.17.0' }),
    tags: tagPairs('Only what has one of these tags, as tags[0].key=…&tags[0].value=….'),
    ...withoutEffect({
      showicon: { type: 'boolean' },
      canusefordeploy: { type: 'boolean' },
      networkfilter: { type: 'string', since: '4.17.0' },
    }),
    ...unsupported({
      projectid: { type: 'uuid' },
      issystem: { type: 'boolean' },
      acltype: { type: 'string' },
      traffictype: { type: 'string', harmless: 'guest' },
      physicalnetworkid: { type: 'uuid' },
      supportedservices: { type: 'list' },
      restartrequired: { type: 'boolean' },
      specifyipranges: { type: 'boolean' },
      vpcid: { type: 'uuid' },
      forvpc: { type: 'boolean' },
      displaynetwork: { type: 'boolean', since: '4.4', harmless: 'true' },
      associatednetworkid: { type: 'uuid', since: '4.17.0' },
    }),
  },
  response: { objectName: 'network', fields: networkFields },
  async handle(args, context) {
    const { db, caller, command } = context;
    const { networkofferingid, type } = args;
    refuseToOthers({ vlan: args.vlan }, caller);
    const offering = NETWORK_OFFERINGS.find(({ id }) => id === networkofferingid);
    if (networkofferingid !== undefined && !offering) {
      throw noSuchEntity(command, 'networkofferingid', networkofferingid);
    }
    if (type === 'Isolated' || type === 'Shared') return { count: 0, items: [] };
    const filter = {
      id: args.id,
      name: args.name,
      zoneId: args.zoneid,
      guestType: type === 'all' ? undefined : type,
      offering,
      vlan: args.vlan,
      scope: await scopeOf(args, context, { hasId: args.id !== undefined }),
      isOwnedOnly: args.account !== undefined || args.domainid !== undefined,
      tags: args.tags,
      keyword: args.keyword,
    };
    const { count, rows } = await readNetworks(db, caller, filter, pageOf(args));
    return { count, items: rows.map((row) => networkResponse(row, caller)) };
  },
});
