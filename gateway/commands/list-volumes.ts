import { listVolumes as readVolumes } from '../../db/reads/list-volumes.js';
import { countParameters, idsOf, listParameters, pageOf } from '../protocol/paging.js';
import { oneOf, string, uuid, uuids } from '../protocol/parameters.js';
import { tagPairs } from '../protocol/tag-pairs.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { volumeFields, volumeResponse } from '../responses/volume.js';
import { defineCommand, EVERYBODY } from './define-command.js';
import { scopeOf, scopeParameters } from './list-scope.js';
import { refuseToOthers } from './refuse-to-others.js';

export const listVolumes = defineCommand({
  name: 'listVolumes',
  description: 'Lists the disks of virtual machines: those of the caller, for a root admin all. Each machine has one.',
  kind: 'list',
  allowedRoles: EVERYBODY,
  params: {
    ...listParameters,
    ...countParameters,
    id: uuid('ID of the volume.'),
    ids: uuids('IDs of volumes, comma separated.', { since: '4.9' }),
    name: string('Name of the volume, the whole of it.'),
    type: oneOf(['ROOT', 'DATADISK'], 'Type of the volume; Slipway has no DATADISK.'),
    state: oneOf(['Allocated', 'Ready'], 'State of the volume.'),
    virtualmachineid: uuid('ID of the virtual machine.'),
    zoneid: uuid('ID of the zone.'),
    storageid: uuid('ID of the primary storage pool; for root admins.', { since: '4.3' }),
    diskofferingid: uuid('ID of the disk offering.', { since: '4.4' }),
    serviceofferingid: uuid('ID of the service offering of the virtual machine.', { since: '4.19.1' }),
    ...scopeParameters,
    tags: tagPairs('Only what has one of these tags, as tags[0].key=…&tags[0].value=….'),
    ...withoutEffect({ showicon: { type: 'boolean' }, listsystemvms: { type: 'boolean', since: '4.18' } }),
    ...unsupported({
      clusterid: { type: 'uuid' },
      podid: { type: 'uuid' },
      hostid: { type: 'uuid' },
      projectid: { type: 'uuid' },
      displayvolume: { type: 'boolean', since: '4.4', harmless: 'true' },
      isencrypted: { type: 'boolean', since: '4.19.1' },
    }),
  },
  response: { objectName: 'volume', fields: volumeFields },
  async handle(args, context) {
    const { db, caller } = context;
    refuseToOthers({ storageid: args.storageid }, caller);
    const filter = {
      ids: idsOf(args),
      name: args.name,
      type: args.type,
      state: args.state,
      vmId: args.virtualmachineid,
      zoneId: args.zoneid,
      poolId: args.storageid,
      diskOfferingId: args.diskofferingid,
      serviceOfferingId: args.serviceofferingid,
      scope: await scopeOf(args, context, { hasId: args.id !== undefined || args.ids !== undefined }),
      tags: args.tags,
      keyword: args.keyword,
    };
    const { count, rows } = await readVolumes(db, caller, filter, pageOf(args));
    return { count, items: rows.map((row) => volumeResponse(row, caller)) };
  },
});
