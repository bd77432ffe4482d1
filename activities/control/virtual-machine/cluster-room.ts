import type { SettingValues } from '../../../shared/settings.js';
import { factorsOf } from '../planner/factors.js';
import type { ClusterRoom } from '../planner/rank-hosts.js';

/** What all hosts of a cluster have, and have promised. */
export interface ClusterSums {
  cpuMhz: number;
  cpuUsedMhz: number;
  ramBytes: number;
  ramUsedBytes: number;
}

/**
 * What a cluster may promise still.
 *
 * @param settings of the cluster
 * @returns undefined for one that may promise all that its hosts have
 */
export function clusterRoom(sums: ClusterSums, settings: SettingValues): ClusterRoom | undefined {
  const { cpu, memory, cluster } = factorsOf(settings);
  if (cluster.cpu >= 1 && cluster.memory >= 1) return undefined;
  return {
    cpuMhz: sums.cpuMhz * cpu * cluster.cpu - sums.cpuUsedMhz,
    ramBytes: sums.ramBytes * memory * cluster.memory - sums.ramUsedBytes,
  };
}
