import { type HostCandidate, neededBytes, type PlacementNeeds, whyNotHost, whyNotUsable } from './rank-hosts.js';

/** A pool that a VM would go to if it had more space. */
export interface ShortPool {
  poolId: string;
  lackingBytes: number;
}

/** Pools of hosts that would take the VM, where space alone is missing; those that lack least first. */
export function shortPools(hosts: readonly HostCandidate[], needs: PlacementNeeds): ShortPool[] {
  const short = new Map<string, ShortPool>();
  for (const host of hosts) {
    if (whyNotHost(host, needs) !== undefined) continue;
    for (const pool of host.pools) {
      if (whyNotUsable(pool, needs) !== undefined) continue;
      const lackingBytes = neededBytes(pool, needs) - pool.freeBytes;
      if (lackingBytes > 0) short.set(pool.poolId, { poolId: pool.poolId, lackingBytes });
    }
  }
  return [...short.values()].sort((a, b) => a.lackingBytes - b.lackingBytes);
}
