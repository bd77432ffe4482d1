import { findZones } from '../../db/reads/find-deployment-parts.js';
import { findCluster } from '../../db/reads/list-clusters.js';
import { findPod } from '../../db/reads/list-pods.js';
import { findZone } from '../../db/reads/list-zones.js';
import { listParameters, pageOf } from '../protocol/paging.js';
import { integer, oneOf, uuid } from '../protocol/parameters.js';
import { noSuchEntity } from '../protocol/standard-texts.js';
import { unsupported, withoutEffect } from '../protocol/undone-parameters.js';
import { capacityFields, type CapacityPlace } from '../responses/capacity.js';
import { capacityReader } from './capacities.js';
import { ADMIN_ONLY, type CommandContext, defineCommand } from './define-command.js';

const { page, pagesize, keyword } = listParameters;

export const listCapacity = defineCommand({
  name: 'listCapacity',
  description: 'Tells what hosts and pools have and what is held of it: of each zone, or of the pod or cluster named.',
  kind: 'list',
  allowedRoles: ADMIN_ONLY,
  params: {
    page,
    pagesize,
    keyword: { ...keyword, description: 'Accepted; it has no effect.' },
    zoneid: uuid('ID of the zone.'),
    podid: uuid('ID of the pod.'),
    clusterid: uuid('ID of the cluster.', { since: '3.0.0' }),
    type: integer(`Only this type: ${capacityFields.type.description}`),
    sortby: oneOf(['usage'], 'The fullest first.', { since: '3.0.0' }),
    ...withoutEffect({ fetchlatest: { type: 'boolean', since: '3.0.0' } }),
    ...unsupported({ tag: { type: 'string', since: '4.20.0' } }),
  },
  response: { objectName: 'capacity', fields: capacityFields },
  async handle(args, context) {
    const capacityOf = await capacityReader(context.db);
    const all = (await placesOf(args, context)).flatMap(capacityOf);
    const found = args.type === undefined ? all : all.filter(({ type }) => type === args.type);
    if (args.sortby) found.sort((a, b) => Number(b.percentused) - Number(a.percentused));
    const { offset, limit } = pageOf(args);
    return { count: found.length, items: found.slice(offset, offset + limit) };
  },
});

interface Places {
  zoneid?: string;
  podid?: string;
  clusterid?: string;
}

async function placesOf(
  { zoneid, podid, clusterid }: Places,
  { db, command }: CommandContext,
): Promise<CapacityPlace[]> {
  if (clusterid) {
    const row = await findCluster(db, clusterid);
    if (!row) throw noSuchEntity(command, 'clusterid', clusterid);
    const { cluster, zoneName, podName } = row;
    const zone = { zoneid: cluster.dataCenterId, zonename: zoneName };
    return [{ ...zone, podid: cluster.podId, podname: podName, clusterid, clustername: cluster.name }];
  }
  if (podid) {
    const row = await findPod(db, podid);
    if (!row) throw noSuchEntity(command, 'podid', podid);
    return [{ zoneid: row.pod.dataCenterId, zonename: row.zoneName, podid, podname: row.pod.name }];
  }
  if (zoneid) {
    const zone = await findZone(db, zoneid);
    if (!zone) throw noSuchEntity(command, 'zoneid', zoneid);
    return [{ zoneid, zonename: zone.name }];
  }
  const zones = await findZones(db);
  return zones.map(({ id, name }) => ({ zoneid: id, zonename: name }));
}
