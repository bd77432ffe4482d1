import type { SettingValues } from '../../../shared/settings.js';
import { overprovisioningFactor, type PoolRules, poolRulesOf } from './pool-space.js';

/** How many times what a host has may be promised, and how much of a pool. */
export interface Factors {
  cpu: number;
  memory: number;
  storage: PoolRules;
}

export const factorsOf = (settings: SettingValues): Factors => ({
  cpu: overprovisioningFactor(settings['cpu.overprovisioning.factor']),
  memory: overprovisioningFactor(settings['mem.overprovisioning.factor']),
  storage: poolRulesOf(settings),
});
