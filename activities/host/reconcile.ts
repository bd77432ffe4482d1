import { SlipwayError } from '../../shared/errors.js';
import type {
  HostInventory,
  Orphan,
  PoolInventory,
  SettledInventory,
  Settlement,
} from '../../shared/reconciliation.js';
import { type HostDependencies, poolOf } from './dependencies.js';

/** Longer than any file may be at work on without a row that knows of it. */
const RECENT_MS = 60 * 60_000;

/** What the host has on its pools and in libvirt, as far as it can be read. */
export const takeInventory =
  (dependencies: Pick<HostDependencies, 'bootId' | 'libvirt' | 'pools'>) =>
  async ({ poolIds }: { poolIds: string[] }): Promise<HostInventory> => {
    const pools: PoolInventory[] = [];
    for (const poolId of poolIds) {
      try {
        const found = await poolOf(dependencies, poolId).inventory(Date.now() - RECENT_MS);
        pools.push({ poolId, ...found });
      } catch (error) {
        // A pool that is not mounted looks empty: to say so would make every file of it a lost one.
        if (!(error instanceof SlipwayError)) throw error;
      }
    }
    const domains = await dependencies.libvirt.listDomains();
    return {
      bootId: dependencies.bootId,
      pools,
      vmIds: domains.map(({ vmId }) => vmId),
      keptVmIds: await dependencies.libvirt.listConsoles(),
    };
  };

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
