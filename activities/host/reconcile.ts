import { SlipwayError } from '../../shared/errors.js';
import type {
  HostInventory,
  InventoryCursor,
  Orphan,
  PoolInventory,
  SettledInventory,
  Settlement,
} from '../../shared/reconciliation.js';
import { type HostDependencies, poolOf } from './dependencies.js';

/** Longer than any file may be at work on without a row that knows of it. */
const RECENT_MS = 60 * 60_000;

/** Names of files in one message: with what is found of them a quarter of what Temporal takes. */
const FILES_AT_ONCE = 5_000;

export interface TakeInventoryInput {
  poolIds: string[];
  /** Missing for the first part. */
  from?: InventoryCursor | undefined;
}

/** What the host has on its pools and in libvirt, as far as it can be read, one part after the other. */
export const takeInventory =
  (dependencies: Pick<HostDependencies, 'bootId' | 'libvirt' | 'pools'>, filesAtOnce = FILES_AT_ONCE) =>
  async ({ poolIds, from }: TakeInventoryInput): Promise<HostInventory> => {
    const { libvirt, bootId } = dependencies;
    const files = await listPools(dependencies, { poolIds, from }, filesAtOnce);
    if (from) return { bootId, ...files, vmIds: [], keptVmIds: [] };
    const domains = await libvirt.listDomains();
    return { bootId, ...files, vmIds: domains.map(({ vmId }) => vmId), keptVmIds: await libvirt.listConsoles() };
  };

async function listPools(
  dependencies: Pick<HostDependencies, 'pools'>,
  { poolIds, from }: TakeInventoryInput,
  filesAtOnce: number,
): Promise<Pick<HostInventory, 'pools' | 'next'>> {
  const pools: PoolInventory[] = [];
  let room = filesAtOnce;
  for (const poolId of from ? poolIds.slice(poolIds.indexOf(from.poolId)) : poolIds) {
    if (room === 0) return { pools, next: { poolId, after: '' } };
    const after = from?.poolId === poolId ? from.after : undefined;
    try {
      const recentSinceMs = Date.now() - RECENT_MS;
      const found = await poolOf(dependencies, poolId).inventory({ recentSinceMs, after, most: room });
      pools.push({ poolId, after, ...found });
      if (found.upTo !== undefined) return { pools, next: { poolId, after: found.upTo } };
      room -= found.files.length;
    } catch (error) {
      // A pool that is not mounted looks empty: to say so would make every file of it a lost one.
      if (!(error instanceof SlipwayError)) throw error;
    }
  }
  return { pools };
}

/** Removes what counts for nothing, and looks once more for what is missing. */
export const settleInventory =
  (dependencies: Pick<HostDependencies, 'libvirt' | 'pools'>) =>
  async ({ orphans, missing, goneVmIds }: Settlement): Promise<SettledInventory> => {
    const removed: Orphan[] = [];
    const inUse: Orphan[] = [];
    for (const poolId of new Set(orphans.map((orphan) => orphan.poolId))) {
      const ofPool = orphans.filter((orphan) => orphan.poolId === poolId);
      const gone = new Set(await poolOf(dependencies, poolId).removeOrphans(ofPool.map(({ fileName }) => fileName)));
      for (const orphan of ofPool) (gone.has(orphan.fileName) ? removed : inUse).push(orphan);
    }
    const stillMissing = [];
    for (const file of missing) {
      if (!(await poolOf(dependencies, file.poolId).has(file.fileName))) stillMissing.push(file);
    }
    for (const vmId of goneVmIds) await dependencies.libvirt.removeConsole(vmId);
    return { removed, inUse, missing: stillMissing };
  };
