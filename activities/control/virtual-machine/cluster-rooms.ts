import { eq, isNull, and, sql } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import type { ScopedSettings } from '../../../shared/scoped-settings.js';
import type { Transaction } from '../dependencies.js';
import { factorsOf } from '../planner/factors.js';
import type { ClusterRoom } from '../planner/rank-hosts.js';

/** To join: what the hosts of each cluster of a zone have and have promised, those that are not asked about too. */
export const clusterSums = (tx: Transaction, zoneId: string) =>
  tx
    .select({
      clusterId: host.clusterId,
      cpuMhz: sql<number>`sum(${host.cpus}::float8 * ${host.speedMhz})`.as('cluster_cpu_mhz'),
      cpuUsedMhz: sql<number>`sum(${host.cpuUsedMhz})::float8`.as('cluster_cpu_used_mhz'),
      ramBytes: sql<number>`sum(${host.ramBytes})::float8`.as('cluster_ram_bytes'),
      ramUsedBytes: sql<number>`sum(${host.ramUsedBytes})::float8`.as('cluster_ram_used_bytes'),
    })
    .from(host)
    .where(and(eq(host.dataCenterId, zoneId), isNull(host.removed)))
    .groupBy(host.clusterId)
    .as('cluster_sums');

export interface ClusterSums {
  cpuMhz: number;
  cpuUsedMhz: number;
  ramBytes: number;
  ramUsedBytes: number;
}

/**
 * What a cluster may promise still.
 *
 * @param settings of the zone
 * @returns undefined for one that may promise all that its hosts have
 */
export function clusterRoom(
  sums: ClusterSums,
  settings: ScopedSettings,
  place: { zoneId: string; clusterId: string },
): ClusterRoom | undefined {
  const values = settings.at(place);
  const { cpu, memory } = factorsOf(values);
  const mostCpu = Number(values['cluster.cpu.allocated.capacity.disablethreshold']);
  const mostMemory = Number(values['cluster.memory.allocated.capacity.disablethreshold']);
  if (mostCpu >= 1 && mostMemory >= 1) return undefined;
  return {
    cpuMhz: sums.cpuMhz * cpu * mostCpu - sums.cpuUsedMhz,
    ramBytes: sums.ramBytes * memory * mostMemory - sums.ramUsedBytes,
  };
}
