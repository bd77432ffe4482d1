import { listPods as readPods } from '../../db/reads/list-pods.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { boolean, string, uuid, withDefault } from '../protocol/parameters.js';
import { unsupported } from '../protocol/undone-parameters.js';
import { podFields, podResponse } from '../responses/pod.js';
import { allocationState } from './allocation-state.js';
import { optionalCapacityReader } from './capacities.js';
import { ADMIN_ONLY, defineCommand } from './define-command.js';

export const listPods = defineCommand({
  name: 'listPods',
  description: 'Lists pods.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    ...listParameters,
    id: uuid('ID of the pod.'),
    name: string('Name of the pod.'),
    zoneid: uuid('ID of the zone.'),
    allocationstate: allocationState('Allocation state.'),
    showcapacities: withDefault(boolean('Whether what it has and what is held of it is shown.'), false),
    ...unsupported({ storageaccessgroup: { type: 'string', since: '4.21.0' } }),
  },
  response: { objectName: 'pod', fields: podFields },
  async handle(args, { db }) {
    const { id, name, zoneid: zoneId, allocationstate, keyword } = args;
    const filter = { id, name, zoneId, allocationState: allocationstate, keyword };
    const { count, rows } = await readPods(db, filter, pageOf(args));
    const capacityOf = await optionalCapacityReader(db, args.showcapacities);
    return {
      count,
      items: rows.map(({ pod, zoneName }) => {
        const place = { zoneid: pod.dataCenterId, zonename: zoneName, podid: pod.id, podname: pod.name };
        return podResponse({ pod, zoneName }, capacityOf(place));
      }),
    };
  },
});
