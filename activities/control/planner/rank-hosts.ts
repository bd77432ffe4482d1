/** Decides where a VM may go: pure, so that every rule is a row of a table test. */

export interface HostCandidate {
  hostId: string;
  hostName: string;
  clusterId: string;
  status: string;
  resourceState: string;
  /** Allocation states of where it is. */
  zoneState: string;
  podState: string;
  clusterState: string;
  arch: string;
  tags: readonly string[];
  /** It has not undone an earlier try of the same VM: that would be undone under this one. */
  isDebtor: boolean;
  /** Below zero when a factor was lowered after more had been promised. */
  cpuFreeMhz: number;
  ramFreeBytes: number;
  /** What its cluster may still promise, where that is less than what its hosts have. */
  clusterRoom?: ClusterRoom | undefined;
  pools: PoolCandidate[];
}

/** Below zero when more had been promised before. */
export interface ClusterRoom {
  cpuMhz: number;
  ramBytes: number;
}

export interface PoolCandidate {
  poolId: string;
  poolName: string;
  status: string;
  tags: readonly string[];
  /** Why the host cannot use it at present, in the host's words. */
  problem: string | null;
  /** For templates, and for root disks divided by the overprovisioning factor. */
  freeBytes: number;
  overprovisioningFactor: number;
  /** It has the template or gets it: its space is taken already. */
  hasTemplate: boolean;
}

export interface PlacementNeeds {
  arch: string;
  cpuMhz: number;
  ramBytes: number;
  /** A host, or a pool, has to have all of them. */
  hostTags: readonly string[];
  storageTags: readonly string[];
  diskBytes: number;
  /** Of the template, where a pool does not have it. */
  templateBytes: number;
}

export interface RankedPlace {
  hostId: string;
  hostName: string;
  clusterId: string;
  poolId: string;
  hasTemplate: boolean;
}

export interface HostRefusal {
  hostId: string;
  hostName: string;
  reason: string;
  /** It would take the VM if only it were there. */
  isAway?: true;
}

const AWAY = ['Connecting', 'Down', 'Alert'];

/**
 * Places in the order to try them: pools that have the template already, then the host on which most such VMs would still
 * fit, so that VMs spread. Hosts that are equal in that come in random order: planners that run at once, on the same
 * figures, would otherwise all want the same host. `refused` says of each other host why not.
 *
 * @param random from 0 up to 1, as Math.random
 */
export function rankHosts(
  hosts: readonly HostCandidate[],
  needs: PlacementNeeds,
  random: () => number = Math.random,
): { places: RankedPlace[]; refused: HostRefusal[] } {
  const refused: HostRefusal[] = [];
  const places: (RankedPlace & { fits: number; draw: number; freeBytes: number })[] = [];
  for (const host of hosts) {
    const { hostId, hostName, clusterId } = host;
    const reason = whyNotHost(host, needs) ?? whyNoPool(host, needs);
    if (reason !== undefined) {
      refused.push({ hostId, hostName, reason, ...(isOnlyAway(host, needs) ? { isAway: true } : {}) });
      continue;
    }
    const draw = random();
    const fits = howManyFit(host, needs);
    for (const pool of host.pools) {
      if (whyNotPool(pool, needs) !== undefined) continue;
      const { poolId, hasTemplate, freeBytes } = pool;
      places.push({ hostId, hostName, clusterId, poolId, hasTemplate, fits, draw, freeBytes });
    }
  }
  places.sort(
    (a, b) =>
      Number(b.hasTemplate) - Number(a.hasTemplate) || b.fits - a.fits || a.draw - b.draw || b.freeBytes - a.freeBytes,
  );
  return {
    places: places.map(({ hostId, hostName, clusterId, poolId, hasTemplate }) => ({
      hostId,
      hostName,
      clusterId,
      poolId,
      hasTemplate,
    })),
    refused,
  };
}

/** Whole VMs, and no finer: hosts that differ by less than one are equal. */
const howManyFit = ({ cpuFreeMhz, ramFreeBytes }: HostCandidate, { cpuMhz, ramBytes }: PlacementNeeds): number =>
  Math.floor(Math.min(cpuFreeMhz / cpuMhz, ramFreeBytes / ramBytes));

const isOnlyAway = (host: HostCandidate, needs: PlacementNeeds): boolean => {
  const there = { ...host, status: 'Up' };
  return AWAY.includes(host.status) && (whyNotHost(there, needs) ?? whyNoPool(there, needs)) === undefined;
};

/** Why a host cannot take the VM, whatever its pools have. What lasts is named before what passes. */
export function whyNotHost(host: HostCandidate, needs: PlacementNeeds): string | undefined {
  if (host.arch !== needs.arch) return `is ${host.arch}, and the template is ${needs.arch}`;
  const lacking = needs.hostTags.filter((tag) => !host.tags.includes(tag));
  if (lacking.length > 0) return `does not have the ${tagsText('host', lacking)} of the service offering`;
  if (host.zoneState !== 'Enabled') return `is in a zone that is ${host.zoneState}`;
  if (host.podState !== 'Enabled') return `is in a pod that is ${host.podState}`;
  if (host.clusterState !== 'Enabled') return `is in a cluster that is ${host.clusterState}`;
  if (host.resourceState !== 'Enabled') return `is in resource state ${host.resourceState}`;
  if (host.status !== 'Up') return `is ${host.status}`;
  if (host.isDebtor) return 'has yet to undo an earlier try';
  if (host.cpuFreeMhz < needs.cpuMhz) {
    return `has ${atLeastZero(host.cpuFreeMhz)} MHz free, and ${needs.cpuMhz} are needed`;
  }
  if (host.ramFreeBytes < needs.ramBytes) {
    return `has ${toMiB(atLeastZero(host.ramFreeBytes))} MiB of memory free, and ${toMiB(needs.ramBytes)} are needed`;
  }
  return host.clusterRoom && whyNotCluster(host.clusterRoom, needs);
}

/** By the settings `cluster.cpu.allocated.capacity.disablethreshold` and that of memory. */
function whyNotCluster({ cpuMhz, ramBytes }: ClusterRoom, needs: PlacementNeeds): string | undefined {
  const which = 'is in a cluster that may promise no more than';
  if (cpuMhz < needs.cpuMhz) return `${which} ${atLeastZero(cpuMhz)} MHz, and ${needs.cpuMhz} are needed`;
  if (ramBytes < needs.ramBytes) {
    return `${which} ${toMiB(atLeastZero(ramBytes))} MiB of memory, and ${toMiB(needs.ramBytes)} are needed`;
  }
  return undefined;
}

function whyNoPool({ pools }: HostCandidate, needs: PlacementNeeds): string | undefined {
  if (pools.length === 0) return 'has no primary storage pool';
  const reasons = pools.map((pool) => ({ pool, reason: whyNotPool(pool, needs) }));
  if (reasons.some(({ reason }) => reason === undefined)) return undefined;
  return reasons.map(({ pool, reason }) => `pool ${pool.poolName} ${reason}`).join('; ');
}

/** Why the VM's root disk cannot go to a pool. */
export function whyNotPool(pool: PoolCandidate, needs: PlacementNeeds): string | undefined {
  const reason = whyNotUsable(pool, needs);
  if (reason !== undefined) return reason;
  const neededMiB = toMiB(neededBytes(pool, needs));
  if (pool.freeBytes < neededBytes(pool, needs)) {
    return `has ${toMiB(atLeastZero(pool.freeBytes))} MiB free, and ${neededMiB} are needed`;
  }
  return undefined;
}

/** As `whyNotPool`, however much space there is. */
export function whyNotUsable(pool: PoolCandidate, needs: PlacementNeeds): string | undefined {
  const lacking = needs.storageTags.filter((tag) => !pool.tags.includes(tag));
  if (lacking.length > 0) return `does not have the ${tagsText('storage', lacking)} of the service offering`;
  if (pool.status !== 'Up') return `is in state ${pool.status}`;
  if (pool.problem !== null) return `cannot be used there: ${pool.problem}`;
  return undefined;
}

/** Of a pool, for the disk and the template where it lacks it. */
export const neededBytes = ({ hasTemplate, overprovisioningFactor }: PoolCandidate, needs: PlacementNeeds): number =>
  needs.diskBytes / overprovisioningFactor + (hasTemplate ? 0 : needs.templateBytes);

const tagsText = (kind: string, tags: readonly string[]): string =>
  `${kind} tag${tags.length > 1 ? 's' : ''} ${tags.join(', ')}`;

const atLeastZero = (value: number): number => Math.max(0, Math.floor(value));
const toMiB = (bytes: number): number => Math.floor(bytes / 1024 ** 2);
