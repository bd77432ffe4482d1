import type { SettingValues } from '../../../shared/settings.js';

/** What a pool has and has promised, in bytes. Pure, so that every rule is a row of a table test. */
export interface PoolSpace {
  capacityBytes: number;
  /** Used on its file system, whoever uses it. */
  usedBytes: number;
  /** Taken by templates, those being downloaded included. */
  templateBytes: number;
  /** Promised to root disks. */
  allocatedBytes: number;
}

/** How much of a pool may be given away. */
export interface PoolRules {
  /** How many times its space may be promised to root disks. */
  factor: number;
  /** Parts of its capacity, above 0 and up to 1: in use by whoever, and promised here. */
  mostUsed: number;
  mostAllocated: number;
}

/**
 * What a pool still has for templates and, divided by the overprovisioning factor, for root disks. Templates take what
 * they are; root disks grow as their guests write, and may be promised more than there is. Never more than the file
 * system has free: other people's files are there too.
 */
export const freeBytes = (pool: PoolSpace, { factor, mostUsed, mostAllocated }: PoolRules): number =>
  Math.min(
    pool.capacityBytes * mostUsed - pool.usedBytes,
    pool.capacityBytes * mostAllocated - (pool.templateBytes + pool.allocatedBytes / factor),
  );

export const poolRulesOf = (settings: SettingValues): PoolRules => ({
  factor: overprovisioningFactor(settings['storage.overprovisioning.factor']),
  mostUsed: Number(settings['pool.storage.capacity.disablethreshold']),
  mostAllocated: Number(settings['pool.storage.allocated.capacity.disablethreshold']),
});

/** The setting, as far as it makes sense: with a factor of 0 nothing would ever fit. */
export const overprovisioningFactor = (setting: string): number => {
  const factor = Number(setting);
  return Number.isFinite(factor) && factor >= 1 ? factor : 1;
};
