import { listZones as readZones } from '../../db/reads/list-zones.js';
import { idsOf, listParameters, pageOf } from '../protocol/paging.js';
import { boolean, oneOf, string, uuid, uuids, withDefault } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { zoneFields, zoneResponse } from '../responses/zone.js';
import { optionalCapacityReader } from './capacities.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { sortOrder } from './sort-order.js';

export const listZones = defineCommand({
  name: 'listZones',
  description: 'Lists zones. Others than root admins see those that are enabled.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the zone.'),
    ids: uuids('IDs of zones, comma separated.', { since: '4.19.0' }),
    name: string('Name of the zone.'),
    networktype: oneOf(['Basic', 'Advanced'], 'Network type.'),
    showcapacities: withDefault(boolean('Whether root admins see what it has and what is held of it.'), false),
    available: withDefault(
      boolean('With false, only zones in which the account of the caller has a virtual machine; true when absent.'),
      true,
    ),
    ...withoutEffect({ showicon: { type: 'boolean' } }),
    ...unsupported({
      domainid: { type: 'uuid' },
      tags: { type: 'map', since: '4.3' },
      storageaccessgroup: { type: 'string', since: '4.21.0' },
    }),
  },
  response: { objectName: 'zone', fields: zoneFields },
  async handle(args, { db, caller, settings }) {
    const { count, rows } = await readZones(
      db,
      caller,
      {
        ids: idsOf(args),
        name: args.name,
        networkType: args.networktype,
        keyword: args.keyword,
        usedBy: args.available ? undefined : caller.accountId,
        ...(await sortOrder({ settings })),
      },
      pageOf(args),
    );
    const capacityOf = await optionalCapacityReader(db, args.showcapacities && caller.role === 'Admin');
    return {
      count,
      items: rows.map(({ zone }) => zoneResponse(zone, caller, capacityOf({ zoneid: zone.id, zonename: zone.name }))),
    };
  },
});
