import { isInstalledTemplate, parseVolumeFileName } from '../../../kvm/storage/file-names.js';
import {
  type HostInventory,
  type InventoryCursor,
  isInRange,
  type PoolInventory,
} from '../../../shared/reconciliation.js';

const LONGEST_NAME = 255;

export interface InventoryPart {
  pools: PoolInventory[];
  next: InventoryCursor | undefined;
}

/**
 * What a host says is the part that was asked for. One of an older version lists all that it has each time, and one that
 * says what it likes must not have the same part looked at for ever.
 *
 * @param poolIds in the order in which they are looked at
 * @param from where the part begins
 */
export function inventoryPart(
  { pools, next }: HostInventory,
  poolIds: readonly string[],
  from: InventoryCursor | undefined,
): InventoryPart {
  const order = (poolId: string): number => poolIds.indexOf(poolId);
  const isAhead = ({ poolId, after }: InventoryCursor): boolean =>
    from === undefined
      ? order(poolId) >= 0
      : order(poolId) > order(from.poolId) || (poolId === from.poolId && after > from.after);
  const ours = pools.map((pool) => ({ ...pool, files: pool.files.filter(isOurs) }));
  const asked = from ? ours.filter(({ poolId }) => order(poolId) >= order(from.poolId)) : ours;
  return {
    pools: asked.map((pool) => (pool.poolId === from?.poolId ? within({ ...pool, after: from.after }) : pool)),
    next: next && isAhead(next) ? next : undefined,
  };
}

/** As Slipway names files, and no longer than a file system takes: other names mean nothing, and fit nowhere. */
export const isOurs = (fileName: string): boolean =>
  fileName.length <= LONGEST_NAME &&
  !/\p{Cc}/u.test(fileName) &&
  (isInstalledTemplate(fileName) || parseVolumeFileName(fileName) !== undefined);

/** Without files that are not in its range. */
export function within(pool: PoolInventory): PoolInventory {
  const isIn = (name: string): boolean => isInRange(pool, name);
  return { ...pool, files: pool.files.filter(isIn), recentFiles: pool.recentFiles.filter(isIn) };
}
