import type { InventoryCursor, PoolInventory, PoolRange } from '../../../shared/reconciliation.js';
import { comparePool, type KnownPool, type PoolDifferences } from './compare-pool.js';
import { within } from './inventory-part.js';

/** Lost files in one message: a pool of which all are lost may have had any number, and each is asked after in turn. */
const MISSING_AT_ONCE = 1_000;

export interface PoolsDifferences {
  differences: PoolDifferences[];
  /** What was compared of the pools. */
  ranges: PoolRange[];
  /** Where it stopped, for more is missing than fits. */
  next: InventoryCursor | undefined;
}

/** Compares pools one after the other, and stops where too many files are missing: what is left is compared next. */
export function comparePools(
  pools: readonly PoolInventory[],
  known: ReadonlyMap<string, KnownPool>,
  missingAtOnce = MISSING_AT_ONCE,
): PoolsDifferences {
  const compared: PoolsDifferences = { differences: [], ranges: [], next: undefined };
  let room = missingAtOnce;
  for (const pool of pools) {
    const { poolId, after } = pool;
    if (room === 0) return { ...compared, next: { poolId, after: after ?? '' } };
    const all = comparePool(pool, known.get(poolId)!);
    const upTo = all.missing.map(({ fileName }) => fileName).toSorted()[room - 1];
    const isTooMuch = upTo !== undefined && all.missing.length > room;
    const part = isTooMuch ? within({ ...pool, upTo }) : pool;
    compared.differences.push(isTooMuch ? comparePool(part, known.get(poolId)!) : all);
    compared.ranges.push({ poolId, after, upTo: part.upTo });
    if (isTooMuch) return { ...compared, next: { poolId, after: upTo } };
    room -= all.missing.length;
  }
  return compared;
}
