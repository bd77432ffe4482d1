import { listZones as readZones } from '../../db/reads/list-zones.js';
import { field } from '../protocol/fields.js';
import { idsOf, listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid, uuids } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { defineCommand, EVERYBODY } from './define-command.js';

export const listZones = defineCommand({
  name: 'listZones',
  description: 'Lists zones.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the zone.'),
    ids: uuids('IDs of zones, comma separated.', { since: '4.19.0' }),
    name: string('Name of the zone.'),
    networktype: oneOf(['Basic', 'Advanced'], 'Network type.'),
    ...withoutEffect({
      available: { type: 'boolean' },
      showcapacities: { type: 'boolean' },
      showicon: { type: 'boolean' },
    }),
    ...unsupported({
      domainid: { type: 'uuid' },
      tags: { type: 'map', since: '4.3' },
      storageaccessgroup: { type: 'string', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'zone',
    fields: {
      id: field('string', 'ID of the zone.'),
      name: field('string', 'Name.'),
      networktype: field('string', 'Basic or Advanced.'),
      securitygroupsenabled: field('boolean', 'Always false.'),
      localstorageenabled: field('boolean', 'Always true: a pool may belong to one host.'),
      allocationstate: field('string', 'Enabled or Disabled.'),
      type: field('string', 'Always Core.'),
      tags: field('list', 'Resource tags; always empty.'),
    },
  },
  async handle(args, { db, caller }) {
    const { count, rows } = await readZones(
      db,
      caller,
      { ids: idsOf(args), name: args.name, networkType: args.networktype, keyword: args.keyword },
      pageOf(args),
    );
    return {
      count,
      items: rows.map(({ zone }) => ({
        id: zone.id,
        name: zone.name,
        networktype: zone.networktype,
        securitygroupsenabled: false,
        localstorageenabled: true,
        allocationstate: zone.allocationState,
        type: 'Core',
        tags: [],
      })),
    };
  },
});
