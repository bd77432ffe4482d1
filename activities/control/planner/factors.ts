import type { SettingValues } from '../../../shared/settings.js';
import { overprovisioningFactor } from './pool-space.js';

/** How many times what a host or pool has may be promised. */
export interface Factors {
  cpu: number;
  memory: number;
  storage: number;
}

export const factorsOf = (settings: SettingValues): Factors => ({
  cpu: overprovisioningFactor(settings['cpu.overprovisioning.factor']),
  memory: overprovisioningFactor(settings['mem.overprovisioning.factor']),
  storage: overprovisioningFactor(settings['storage.overprovisioning.factor']),
});
