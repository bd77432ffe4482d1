import { listDiskOfferings as readDiskOfferings } from '../../db/reads/list-disk-offerings.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { diskOfferingFields, diskOfferingResponse } from '../responses/disk-offering.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { sortOrder } from './sort-order.js';

export const listDiskOfferings = defineCommand({
  name: 'listDiskOfferings',
  description: 'Lists disk offerings. Every offering is there for every zone and account.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the offering.'),
    name: string('Name of the offering.'),
    ...withoutEffect({
      listall: { type: 'boolean' },
      isrecursive: { type: 'boolean' },
      domainid: { type: 'uuid' },
      account: { type: 'string' },
      zoneid: { type: 'uuid', since: '4.13' },
    }),
    ...unsupported({
      encrypt: { type: 'boolean', since: '4.18' },
      projectid: { type: 'uuid' },
      state: { type: 'string', since: '4.19', harmless: 'active' },
      storageid: { type: 'uuid', since: '4.17' },
      storagetype: { type: 'string', since: '4.19' },
      virtualmachineid: { type: 'uuid', since: '4.20.0' },
      volumeid: { type: 'uuid', since: '4.17' },
    }),
  },
  response: { objectName: 'diskoffering', fields: diskOfferingFields },
  async handle(args, { db, settings }) {
    const filter = { id: args.id, name: args.name, keyword: args.keyword, ...(await sortOrder({ settings })) };
    const { count, rows } = await readDiskOfferings(db, filter, pageOf(args));
    return { count, items: rows.map(({ offering }) => diskOfferingResponse(offering)) };
  },
});
