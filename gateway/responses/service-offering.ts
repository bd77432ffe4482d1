import type { ServiceOfferingRow } from '../../db/service-offerings.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const serviceOfferingFields = {
  id: field('string', 'ID of the offering.'),
  name: field('string', 'Name.'),
  displaytext: field('string', 'Text for people.'),
  state: field('string', 'Always Active.'),
  cpunumber: field('integer', 'Virtual CPUs.'),
  cpuspeed: field('integer', 'MHz of each virtual CPU.'),
  memory: field('integer', 'MiB of memory.'),
  hosttags: field('string', 'Tags that a host has to have, comma separated.'),
  storagetags: field('string', 'Tags that a pool has to have, comma separated.'),
  sortkey: field('integer', 'Where it comes in lists. Slipway has this key, CloudStack has not.'),
  created: field('date', 'When it was created.'),
  provisioningtype: field('string', 'Always thin.'),
  storagetype: field('string', 'Always shared: any pool will do.'),
  iscustomizediops: field('boolean', 'Always false.'),
  offerha: field('boolean', 'Always false.'),
  limitcpuuse: field('boolean', 'Always false.'),
  isvolatile: field('boolean', 'Always false.'),
  issystem: field('boolean', 'Always false.'),
  defaultuse: field('boolean', 'Always false.'),
  iscustomized: field('boolean', 'Always false.'),
} as const;

export const serviceOfferingResponse = (offering: ServiceOfferingRow): ResponseOf<typeof serviceOfferingFields> => ({
  id: offering.id,
  name: offering.name,
  displaytext: offering.displayText,
  state: 'Active',
  cpunumber: offering.cpu,
  cpuspeed: offering.speedMhz,
  memory: offering.ramMb,
  // Of an empty text clients make one tag without a name.
  hosttags: offering.hostTags.join(',') || undefined,
  storagetags: offering.storageTags.join(',') || undefined,
  sortkey: offering.sortKey,
  created: apiDate(offering.created),
  provisioningtype: 'thin',
  storagetype: 'shared',
  iscustomizediops: false,
  offerha: false,
  limitcpuuse: false,
  isvolatile: false,
  issystem: false,
  defaultuse: false,
  iscustomized: false,
});
