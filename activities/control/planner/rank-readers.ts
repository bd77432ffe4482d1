import {
  type HostCandidate,
  type HostRefusal,
  type PlacementNeeds,
  type RankedPlace,
  rankHosts,
} from './rank-hosts.js';

/**
 * As `rankHosts`, for a VM whose disk is on the one pool that was looked at, or has its space set aside there: hosts that
 * do not reach the pool do not count, and what the pool has free and its tags do not matter.
 */
export function rankReaders(
  hosts: readonly HostCandidate[],
  needs: Pick<PlacementNeeds, 'arch' | 'hostTags' | 'cpuMhz' | 'ramBytes'>,
): { places: RankedPlace[]; refused: HostRefusal[] } {
  const readers = hosts.filter(reachesPool).map((host) => ({
    ...host,
    pools: host.pools.map((pool) => ({ ...pool, freeBytes: 0, hasTemplate: true })),
  }));
  return rankHosts(readers, {
    ...needs,
    storageTags: [],
    diskBytes: 0,
    templateBytes: 0,
  });
}

/** Of a host whose pools were looked at. */
export const reachesPool = ({ pools }: HostCandidate): boolean => pools.length > 0;
