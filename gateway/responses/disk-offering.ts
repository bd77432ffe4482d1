import type { DiskOfferingRow } from '../../db/disk-offerings.js';
import { apiDate } from '../protocol/envelope.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const GIB = 1024 ** 3;

export const diskOfferingFields = {
  id: field('string', 'ID of the offering.'),
  name: field('string', 'Name.'),
  displaytext: field('string', 'Text for people.'),
  disksize: field('long', 'Size in GiB; 0 for a custom one.'),
  iscustomized: field('boolean', 'Whether whoever uses it says the size.'),
  tags: field('string', 'Tags that a pool has to have, comma separated.'),
  state: field('string', 'Always Active.'),
  provisioningtype: field('string', 'Always thin.'),
  storagetype: field('string', 'Always shared: any pool will do.'),
  iscustomizediops: field('boolean', 'Always false.'),
  displayoffering: field('boolean', 'Always true.'),
  sortkey: field('integer', 'Where it comes in lists. Slipway has this key, CloudStack has not.'),
  created: field('date', 'When it was made.'),
} as const;

export const diskOfferingResponse = (offering: DiskOfferingRow): ResponseOf<typeof diskOfferingFields> => ({
  id: offering.id,
  name: offering.name,
  displaytext: offering.displayText,
  disksize: (offering.sizeBytes ?? 0) / GIB,
  iscustomized: offering.isCustomized,
  tags: offering.storageTags.length > 0 ? offering.storageTags.join(',') : undefined,
  state: 'Active',
  provisioningtype: 'thin',
  storagetype: 'shared',
  iscustomizediops: false,
  displayoffering: true,
  sortkey: offering.sortKey,
  created: apiDate(offering.created),
});
