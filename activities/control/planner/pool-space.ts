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

/**
 * What a pool still has for templates and, divided by the overprovisioning factor, for root disks. Templates take what
 * they are; root disks grow as their guests write, and may be promised more than there is. Never more than the file
 * system has free: other people's files are there too.
 */
export const freeBytes = (pool: PoolSpace, factor: number): number =>
  pool.capacityBytes - Math.max(pool.usedBytes, pool.templateBytes + pool.allocatedBytes / factor);

/** The setting, as far as it makes sense: with a factor of 0 nothing would ever fit. */
export const overprovisioningFactor = (setting: string): number => {
  const factor = Number(setting);
  return Number.isFinite(factor) && factor >= 1 ? factor : 1;
};
