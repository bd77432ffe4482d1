import { createDiskOffering as insertDiskOffering } from '../../db/disk-offerings.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { boolean, required, string, withDefault } from '../protocol/parameters.js';
import { tags } from '../protocol/tags.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { diskOfferingFields, diskOfferingResponse } from '../responses/disk-offering.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';
import { diskSize, toBytes } from './disk-size.js';

export const createDiskOffering = defineCommand({
  name: 'createDiskOffering',
  description: 'Makes a disk offering: the size of the root disk of a virtual machine that is installed from an ISO.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    name: required(string('Name of the offering.')),
    displaytext: string('Text for people; the name when absent.', { maxLength: 4096 }),
    disksize: diskSize('Size in GiB; required unless it is a custom one.'),
    customized: withDefault(boolean('Whether whoever uses it says the size.'), false),
    tags: withDefault(tags('Tags that a pool has to have'), []),
    ...withoutEffect({ displayoffering: { type: 'boolean' } }),
    ...unsupported({
      bytesreadrate: { type: 'long' },
      bytesreadratemax: { type: 'long' },
      bytesreadratemaxlength: { type: 'long' },
      byteswriterate: { type: 'long' },
      byteswriteratemax: { type: 'long' },
      byteswriteratemaxlength: { type: 'long' },
      cachemode: { type: 'string', since: '4.14', harmless: 'none' },
      customizediops: { type: 'boolean' },
      details: { type: 'map', since: '4.16' },
      disksizestrictness: { type: 'boolean', since: '4.17' },
      domainid: { type: 'list' },
      encrypt: { type: 'boolean', since: '4.18' },
      hypervisorsnapshotreserve: { type: 'integer' },
      iopsreadrate: { type: 'long' },
      iopsreadratemax: { type: 'long' },
      iopsreadratemaxlength: { type: 'long' },
      iopswriterate: { type: 'long' },
      iopswriteratemax: { type: 'long' },
      iopswriteratemaxlength: { type: 'long' },
      maxiops: { type: 'long' },
      miniops: { type: 'long' },
      provisioningtype: { type: 'string', harmless: 'thin' },
      storagepolicy: { type: 'uuid', since: '4.15' },
      storagetype: { type: 'string', harmless: 'shared' },
      zoneid: { type: 'list', since: '4.13' },
    }),
  },
  response: {
    objectName: 'diskoffering',
    fields: { diskoffering: field('object', 'The disk offering.', diskOfferingFields) },
  },
  async handle({ name, displaytext, disksize, customized, tags: storageTags }, { db, caller }) {
    if (customized === (disksize !== undefined)) {
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        customized
          ? 'Disksize is not allowed for a customized disk offering'
          : 'Disksize is required for a non-customized disk offering',
      );
    }
    const offering = await insertDiskOffering(db, caller, {
      name,
      displayText: displaytext ?? name,
      sizeBytes: disksize === undefined ? null : toBytes(disksize),
      storageTags,
    });
    return { diskoffering: diskOfferingResponse(offering) };
  },
});
