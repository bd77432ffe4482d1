import { createServiceOffering as insertServiceOffering } from '../../db/service-offerings.js';
import { SlipwayError } from '../../shared/errors.js';
import { field } from '../protocol/fields.js';
import { integer, required, string, withDefault } from '../protocol/parameters.js';
import { tags } from '../protocol/tags.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { serviceOfferingFields, serviceOfferingResponse } from '../responses/service-offering.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const createServiceOffering = defineCommand({
  name: 'createServiceOffering',
  description:
    'Makes a service offering: what a virtual machine gets of a host, and which hosts and pools it may be on.',
  kind: 'sync',
  allowedRoles: ADMIN_ONLY,
  params: {
    name: required(string('Name of the offering.')),
    displaytext: string('Text for people; the name when absent.'),
    cpunumber: integer('Virtual CPUs; required.', { min: 1 }),
    cpuspeed: integer('MHz of each virtual CPU; required.', { min: 1 }),
    memory: integer('MiB of memory; at least 32, required.', { min: 32 }),
    hosttags: withDefault(tags('Tags that a host has to have'), []),
    tags: withDefault(tags('Tags that a pool has to have'), []),
    ...unsupported({
      provisioningtype: { type: 'string', harmless: 'thin' },
      offerha: { type: 'boolean' },
      limitcpuuse: { type: 'boolean' },
      isvolatile: { type: 'boolean' },
      storagetype: { type: 'string', harmless: 'shared' },
      domainid: { type: 'list' },
      zoneid: { type: 'list', since: '4.13' },
      issystem: { type: 'boolean' },
      systemvmtype: { type: 'string' },
      networkrate: { type: 'integer' },
      deploymentplanner: { type: 'string' },
      serviceofferingdetails: { type: 'map' },
      rootdisksize: { type: 'long', since: '4.15' },
      bytesreadrate: { type: 'long' },
      bytesreadratemax: { type: 'long' },
      bytesreadratemaxlength: { type: 'long' },
      byteswriterate: { type: 'long' },
      byteswriteratemax: { type: 'long' },
      byteswriteratemaxlength: { type: 'long' },
      iopsreadrate: { type: 'long' },
      iopsreadratemax: { type: 'long' },
      iopsreadratemaxlength: { type: 'long' },
      iopswriterate: { type: 'long' },
      iopswriteratemax: { type: 'long' },
      iopswriteratemaxlength: { type: 'long' },
      customizediops: { type: 'boolean', since: '4.4' },
      miniops: { type: 'long', since: '4.4' },
      maxiops: { type: 'long', since: '4.4' },
      hypervisorsnapshotreserve: { type: 'integer', since: '4.4' },
      cachemode: { type: 'string', since: '4.14', harmless: 'none' },
      customized: { type: 'boolean', since: '4.13' },
      maxcpunumber: { type: 'integer', since: '4.13' },
      mincpunumber: { type: 'integer', since: '4.13' },
      maxmemory: { type: 'integer', since: '4.13' },
      minmemory: { type: 'integer', since: '4.13' },
      storagepolicy: { type: 'uuid', since: '4.15' },
      dynamicscalingenabled: { type: 'boolean', since: '4.16' },
      diskofferingid: { type: 'uuid', since: '4.17' },
      diskofferingstrictness: { type: 'boolean', since: '4.17' },
      encryptroot: { type: 'boolean', since: '4.18' },
      purgeresources: { type: 'boolean', since: '4.20' },
      leaseduration: { type: 'integer', since: '4.21.0' },
      leaseexpiryaction: { type: 'string', since: '4.21.0' },
      vgpuprofileid: { type: 'uuid', since: '4.21' },
      gpucount: { type: 'integer', since: '4.21' },
      gpudisplay: { type: 'boolean', since: '4.21' },
      externaldetails: { type: 'map', since: '4.21.0' },
    }),
  },
  response: {
    objectName: 'serviceoffering',
    fields: { serviceoffering: field('object', 'The service offering.', serviceOfferingFields) },
  },
  async handle({ name, displaytext, cpunumber, cpuspeed, memory, ...args }, { db, caller }) {
    if (cpunumber === undefined || cpuspeed === undefined || memory === undefined) {
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        'Give cpunumber, cpuspeed and memory: there are no offerings whose users choose them',
      );
    }
    const offering = await insertServiceOffering(db, caller, {
      name,
      displayText: displaytext ?? name,
      cpu: cpunumber,
      speedMhz: cpuspeed,
      ramMb: memory,
      hostTags: args.hosttags,
      storageTags: args.tags,
    });
    return { serviceoffering: serviceOfferingResponse(offering) };
  },
});
