import type { Capacity, ClusterCapacity, PoolCapacity } from '../../db/reads/read-capacity.js';
import type { ScopedSettings } from '../../shared/scoped-settings.js';
import type { SettingName } from '../../shared/settings.js';
import { field, type ResponseOf } from '../protocol/fields.js';

export const capacityFields = {
  type: field(
    'integer',
    '0 memory, 1 CPU, 2 shared storage, 3 shared storage as promised, 9 storage of single hosts as promised, 90 CPU cores.',
  ),
  name: field('string', 'MEMORY, CPU, STORAGE, STORAGE_ALLOCATED, LOCAL_STORAGE or CPU_CORE.'),
  zoneid: field('string', 'ID of the zone.'),
  zonename: field('string', 'Name of the zone.'),
  podid: field('string', 'ID of the pod that was asked for.'),
  podname: field('string', 'Name of the pod.'),
  clusterid: field('string', 'ID of the cluster that was asked for.'),
  clustername: field('string', 'Name of the cluster.'),
  capacityallocated: field('long', 'What is promised: bytes, MHz or cores.'),
  capacityused: field('long', 'What is in use. Of all but STORAGE that is what is promised.'),
  capacitytotal: field('long', 'All there is, times the overprovisioning factor where there is one.'),
  percentused: field('string', 'What is in use, in per cent.'),
} as const;

export type CapacityResponse = ResponseOf<typeof capacityFields>;

/** Where to count. The names are of the levels that are given. */
export interface CapacityPlace {
  zoneid: string;
  zonename: string;
  podid?: string;
  podname?: string;
  clusterid?: string;
  clustername?: string;
}

/** What a zone, pod or cluster has: one entry a type, by type. */
export function capacitiesIn(place: CapacityPlace, all: Capacity, settings: ScopedSettings): CapacityResponse[] {
  const isHere = (of: { zoneId: string; podId: string | null; clusterId: string | null }): boolean =>
    of.zoneId === place.zoneid &&
    (place.podid === undefined || of.podId === place.podid) &&
    (place.clusterid === undefined || of.clusterId === place.clusterid);
  const clusters = all.clusters.filter(isHere);
  const pools = all.pools.filter(isHere);
  const shared = pools.filter(({ scope }) => scope !== 'HOST');
  const local = pools.filter(({ scope }) => scope === 'HOST');
  const factor = (of: ClusterCapacity | PoolCapacity, name: SettingName): number =>
    Math.max(Number(settings.at(of)[name]), 0);
  const promisable = (pool: PoolCapacity) => pool.capacityBytes * factor(pool, 'storage.overprovisioning.factor');
  const entry = (type: number, name: string, figures: { allocated: number; used: number; total: number }) => ({
    type,
    name,
    ...place,
    capacityallocated: Math.floor(figures.allocated),
    capacityused: Math.floor(figures.used),
    capacitytotal: Math.floor(figures.total),
    percentused: percent(figures.used, figures.total),
  });
  const promised = (type: number, name: string, held: number, total: number) =>
    entry(type, name, { allocated: held, used: held, total });
  const allocated = ({ allocatedBytes }: PoolCapacity) => allocatedBytes;
  return [
    promised(
      0,
      'MEMORY',
      sum(clusters, ({ ramUsedBytes }) => ramUsedBytes),
      sum(clusters, (cluster) => cluster.ramBytes * factor(cluster, 'mem.overprovisioning.factor')),
    ),
    promised(
      1,
      'CPU',
      sum(clusters, ({ cpuUsedMhz }) => cpuUsedMhz),
      sum(clusters, (cluster) => cluster.cpuMhz * factor(cluster, 'cpu.overprovisioning.factor')),
    ),
    entry(2, 'STORAGE', {
      allocated: sum(shared, allocated),
      used: sum(shared, ({ usedBytes }) => usedBytes),
      total: sum(shared, ({ capacityBytes }) => capacityBytes),
    }),
    promised(3, 'STORAGE_ALLOCATED', sum(shared, allocated), sum(shared, promisable)),
    promised(9, 'LOCAL_STORAGE', sum(local, allocated), sum(local, promisable)),
    promised(
      90,
      'CPU_CORE',
      sum(clusters, ({ coresUsed }) => coresUsed),
      sum(clusters, (cluster) => cluster.cores * factor(cluster, 'cpu.overprovisioning.factor')),
    ),
  ];
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** At most two digits behind the point, and no zeros there. */
const percent = (part: number, whole: number): string =>
  String(whole === 0 ? 0 : Number(((100 * part) / whole).toFixed(2)));
