import { listServiceOfferings as readServiceOfferings } from '../../db/reads/list-service-offerings.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { integer, string, uuid } from '../protocol/parameters.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { serviceOfferingFields, serviceOfferingResponse } from '../responses/service-offering.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { sortOrder } from './sort-order.js';

export const listServiceOfferings = defineCommand({
  name: 'listServiceOfferings',
  description: 'Lists service offerings. Every offering is there for every zone and account.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    id: uuid('ID of the offering.'),
    name: string('Name of the offering.'),
    cpunumber: integer('Virtual CPUs.', { since: '4.15' }),
    cpuspeed: integer('MHz of each virtual CPU.', { since: '4.15' }),
    memory: integer('MiB of memory.', { since: '4.15' }),
    ...withoutEffect({
      listall: { type: 'boolean' },
      isrecursive: { type: 'boolean' },
      domainid: { type: 'uuid' },
      account: { type: 'string' },
      zoneid: { type: 'uuid', since: '4.13' },
      templateid: { type: 'uuid', since: '4.20.0' },
    }),
    ...unsupported({
      projectid: { type: 'uuid' },
      virtualmachineid: { type: 'uuid' },
      issystem: { type: 'boolean' },
      systemvmtype: { type: 'string' },
      encryptroot: { type: 'boolean', since: '4.18' },
      storagetype: { type: 'string', since: '4.19' },
      state: { type: 'string', since: '4.19', harmless: 'active' },
      vgpuprofileid: { type: 'uuid', since: '4.21.0' },
      gpuenabled: { type: 'boolean', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'serviceoffering',
    fields: serviceOfferingFields,
  },
  async handle(args, { db, settings }) {
    const filter = {
      id: args.id,
      name: args.name,
      cpuNumber: args.cpunumber,
      cpuSpeedMhz: args.cpuspeed,
      memoryMb: args.memory,
      keyword: args.keyword,
      ...(await sortOrder({ settings })),
    };
    const { count, rows } = await readServiceOfferings(db, filter, pageOf(args));
    return { count, items: rows.map(({ offering }) => serviceOfferingResponse(offering)) };
  },
});
