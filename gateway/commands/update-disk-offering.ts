import { changeDiskOffering } from '../../db/disk-offerings.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { newTags } from '../protocol/tags.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { diskOfferingFields, diskOfferingResponse } from '../responses/disk-offering.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { sortKeyParameter } from './sort-order.js';

export const updateDiskOffering = defineCommand({
  name: 'updateDiskOffering',
  description: 'Changes what a disk offering is called, and which pools new disks of it may be on.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the disk offering.')),
    name: string('New name.'),
    displaytext: string('New text for people.', { maxLength: 4096 }),
    tags: newTags({ since: '4.15', type: 'string' }),
    ...sortKeyParameter,
    ...unsupported({
      bytesreadrate: { type: 'long', since: '4.15' },
      bytesreadratemax: { type: 'long', since: '4.15' },
      bytesreadratemaxlength: { type: 'long', since: '4.15' },
      byteswriterate: { type: 'long', since: '4.15' },
      byteswriteratemax: { type: 'long', since: '4.15' },
      byteswriteratemaxlength: { type: 'long', since: '4.15' },
      cachemode: { type: 'string', since: '4.15', harmless: 'none' },
      displayoffering: { type: 'boolean', harmless: 'true' },
      domainid: { type: 'string', since: '4.13', maxLength: 4096 },
      iopsreadrate: { type: 'long', since: '4.15' },
      iopsreadratemax: { type: 'long', since: '4.15' },
      iopsreadratemaxlength: { type: 'long', since: '4.15' },
      iopswriterate: { type: 'long', since: '4.15' },
      iopswriteratemax: { type: 'long', since: '4.15' },
      iopswriteratemaxlength: { type: 'long', since: '4.15' },
      state: { type: 'string', harmless: 'active' },
      zoneid: { type: 'string', since: '4.13' },
    }),
  },
  response: {
    objectName: 'diskoffering',
    fields: { diskoffering: field('object', 'The disk offering.', diskOfferingFields) },
  },
  async handle({ id, name, displaytext, tags, sortkey }, { db, caller, command }) {
    const offering = await changeDiskOffering(db, caller, id, {
      name,
      displayText: displaytext,
      storageTags: tags,
      sortKey: sortkey,
    });
    if (!offering) throw noSuchEntity(command, 'id', id);
    return { diskoffering: diskOfferingResponse(offering) };
  },
});
