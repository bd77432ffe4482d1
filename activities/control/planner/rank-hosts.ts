/** Decides where a VM may go: pure, so that every rule is a row of a table test. */

export interface HostCandidate {
  hostId: string;
  hostName: string;
  status: string;
  resourceState: string;
  arch: string;
  cpuFreeMhz: number;
  ramFreeBytes: number;
  pools: PoolCandidate[];
}

export interface PoolCandidate {
  poolId: string;
  status: string;
  /** For templates, and for root disks divided by the overprovisioning factor. */
  freeBytes: number;
  /** It has the template or gets it: its space is taken already. */
  hasTemplate: boolean;
}

export interface PlacementNeeds {
  arch: string;
  cpuMhz: number;
  ramBytes: number;
  diskBytes: number;
  /** Of the template, where a pool does not have it. */
  templateBytes: number;
  overprovisioningFactor: number;
}

export interface RankedPlace {
  hostId: string;
  hostName: string;
  poolId: string;
}

export interface HostRefusal {
  hostId: string;
  hostName: string;
  reason: string;
}

/**
 * Places in the order to try them: pools that have the template already, then the host with the most free memory, so
 * that VMs spread. `refused` says of each other host why not.
 */
export function rankHosts(
  hosts: readonly HostCandidate[],
  needs: PlacementNeeds,
): { places: RankedPlace[]; refused: HostRefusal[] } {
  const refused: HostRefusal[] = [];
  const places: (RankedPlace & { hasTemplate: boolean; ramFreeBytes: number; freeBytes: number })[] = [];
  for (const host of hosts) {
    const reason = whyNotHost(host, needs);
    const pools = host.pools.filter((pool) => pool.status === 'Up' && pool.freeBytes >= neededBytes(pool, needs));
    if (reason ?? pools.length === 0) {
      refused.push({
        hostId: host.hostId,
        hostName: host.hostName,
        reason: reason ?? 'none of its pools is Up with enough free space',
      });
      continue;
    }
    for (const { poolId, hasTemplate, freeBytes } of pools) {
      places.push({
        hostId: host.hostId,
        hostName: host.hostName,
        poolId,
        hasTemplate,
        ramFreeBytes: host.ramFreeBytes,
        freeBytes,
      });
    }
  }
  places.sort(
    (a, b) =>
      Number(b.hasTemplate) - Number(a.hasTemplate) ||
      b.ramFreeBytes - a.ramFreeBytes ||
      b.freeBytes - a.freeBytes ||
      a.hostName.localeCompare(b.hostName),
  );
  return { places: places.map(({ hostId, hostName, poolId }) => ({ hostId, hostName, poolId })), refused };
}

/** Of a pool, for the disk and the template where it lacks it. */
export const neededBytes = ({ hasTemplate }: PoolCandidate, needs: PlacementNeeds): number =>
  needs.diskBytes / needs.overprovisioningFactor + (hasTemplate ? 0 : needs.templateBytes);

/** Why a host cannot take the VM, whatever its pools have. */
export function whyNotHost(host: HostCandidate, needs: PlacementNeeds): string | undefined {
  if (host.status !== 'Up') return `is ${host.status}`;
  if (host.resourceState !== 'Enabled') return `is in resource state ${host.resourceState}`;
  if (host.arch !== needs.arch) return `is ${host.arch}, and the template is ${needs.arch}`;
  if (host.cpuFreeMhz < needs.cpuMhz) return `has ${host.cpuFreeMhz} MHz free, and ${needs.cpuMhz} are needed`;
  if (host.ramFreeBytes < needs.ramBytes) {
    return `has ${toMiB(host.ramFreeBytes)} MiB of memory free, and ${toMiB(needs.ramBytes)} are needed`;
  }
  return undefined;
}

const toMiB = (bytes: number): number => Math.floor(bytes / 1024 ** 2);
