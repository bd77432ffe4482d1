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
  const { cpu, memory } = factorsOf(settings);
  const mostCpu = Number(settings['cluster.cpu.allocated.capacity.disablethreshold']);
  const mostMemory = Number(settings['cluster.memory.allocated.capacity.disablethreshold']);
  if (mostCpu >= 1 && mostMemory >= 1) return undefined;
  return {
    cpuMhz: sums.cpuMhz * cpu * mostCpu - sums.cpuUsedMhz,
    ramBytes: sums.ramBytes * memory * mostMemory - sums.ramUsedBytes,
  };
}
