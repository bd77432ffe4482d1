import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import { host } from '../../../db/schema/index.js';
import type { ScopedSettings } from '../../../shared/scoped-settings.js';
import type { Transaction } from '../dependencies.js';
import { factorsOf } from '../planner/factors.js';
import type { ClusterRoom } from '../planner/rank-hosts.js';

/**
 * What clusters of which not all may be promised may promise still: no statement where there are none.
 *
 * @param settings of the zone
 */
export async function readClusterRooms(
  tx: Transaction,
  { zoneId, clusterIds }: { zoneId: string; clusterIds: string[] },
  settings: ScopedSettings,
): Promise<Map<string, ClusterRoom>> {
  const limits = new Map(clusterIds.map((clusterId) => [clusterId, limitsOf(settings, { zoneId, clusterId })]));
  const limited = clusterIds.filter((id) => limits.get(id)!.mostCpu < 1 || limits.get(id)!.mostMemory < 1);
  if (limited.length === 0) return new Map();
  const rows = await tx
    .select({
      clusterId: host.clusterId,
      cpuMhz: sql<number>`sum(${host.cpus}::float8 * ${host.speedMhz})`,
      cpuUsedMhz: sql<number>`sum(${host.cpuUsedMhz})::float8`,
      ramBytes: sql<number>`sum(${host.ramBytes})::float8`,
      ramUsedBytes: sql<number>`sum(${host.ramUsedBytes})::float8`,
    })
    .from(host)
    .where(and(eq(host.dataCenterId, zoneId), inArray(host.clusterId, limited), isNull(host.removed)))
    .groupBy(host.clusterId);
  return new Map(
    rows.map((row) => {
      const { cpu, memory, mostCpu, mostMemory } = limits.get(row.clusterId)!;
      const cpuMhz = row.cpuMhz * cpu * mostCpu - row.cpuUsedMhz;
      return [row.clusterId, { cpuMhz, ramBytes: row.ramBytes * memory * mostMemory - row.ramUsedBytes }];
    }),
  );
}

function limitsOf(settings: ScopedSettings, place: { zoneId: string; clusterId: string }) {
  const values = settings.at(place);
  return {
    ...factorsOf(values),
    mostCpu: Number(values['cluster.cpu.allocated.capacity.disablethreshold']),
    mostMemory: Number(values['cluster.memory.allocated.capacity.disablethreshold']),
  };
}
