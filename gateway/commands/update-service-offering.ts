import { changeServiceOffering } from '../../db/service-offerings.js';
import { field } from '../protocol/fields.js';
import { required, string, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { newTags } from '../protocol/tags.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { serviceOfferingFields, serviceOfferingResponse } from '../responses/service-offering.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { sortKeyParameter } from './sort-order.js';

export const updateServiceOffering = defineCommand({
  name: 'updateServiceOffering',
  description:
    'Changes what a service offering is called, and which hosts and pools its virtual machines may be on: of those that are ' +
    'there, from their next start.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    id: required(uuid('ID of the service offering.')),
    name: string('New name.'),
    displaytext: string('New text for people.', { maxLength: 4096 }),
    hosttags: newTags({ since: '4.16', type: 'string' }),
    storagetags: newTags({ since: '4.16', type: 'string' }),
    ...sortKeyParameter,
    ...unsupported({
      cachemode: { type: 'string', since: '4.16', harmless: 'none' },
      domainid: { type: 'string', maxLength: 4096 },
      externaldetails: { type: 'map', since: '4.21.0' },
      leaseduration: { type: 'integer', since: '4.21.0' },
      leaseexpiryaction: { type: 'string', since: '4.21.0' },
      purgeresources: { type: 'boolean', since: '4.20' },
      state: { type: 'string', harmless: 'active' },
      zoneid: { type: 'string', since: '4.13' },
    }),
  },
  response: {
    objectName: 'serviceoffering',
    fields: { serviceoffering: field('object', 'The service offering.', serviceOfferingFields) },
  },
  async handle({ id, name, displaytext, hosttags, storagetags, sortkey }, { db, caller, command }) {
    const changes = { name, displayText: displaytext, hostTags: hosttags, storageTags: storagetags, sortKey: sortkey };
    const offering = await changeServiceOffering(db, caller, id, changes);
    if (!offering) throw noSuchEntity(command, 'id', id);
    return { serviceoffering: serviceOfferingResponse(offering) };
  },
});
