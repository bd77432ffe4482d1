import type { SettingValues } from '../../../shared/settings.js';
import { overprovisioningFactor, type PoolRules, poolRulesOf } from './pool-space.js';

/** How many times what a host has may be promised, and how much of a pool and of a cluster. */
export interface Factors {
  cpu: number;
  memory: number;
  storage: PoolRules;
  /** Parts of what the hosts of a cluster may promise, up to 1, that the cluster may. */
  cluster: { cpu: number; memory: number };
}

export const factorsOf = (settings: SettingValues): Factors => ({
  cpu: overprovisioningFactor(settings['cpu.overprovisioning.factor']),
  memory: overprovisioningFactor(settings['mem.overprovisioning.factor']),
  storage: poolRulesOf(settings),
  cluster: {
    cpu: Number(settings['cluster.cpu.allocated.capacity.disablethreshold']),
    memory: Number(settings['cluster.memory.allocated.capacity.disablethreshold']),
  },
});
