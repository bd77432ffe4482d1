import type { DomainReport, HostStatus } from '../../shared/hosts.js';
import { PROTOCOL_VERSION, SLIPWAY_VERSION } from '../../shared/version.js';
import type { HostDependencies } from './dependencies.js';

/** Facts and domains as they are now. */
export async function readHostStatus(dependencies: HostDependencies): Promise<HostStatus> {
  const { bootId, libvirt, pools, started, certificates, ipAddress } = dependencies;
  // In this order: a domain that starts in between is in the list, and one not in the record is not missed.
  const record = await started.list();
  const present = await libvirt.listDomains();
  const ended = [...record]
    .filter(([vmId]) => !present.some((domain) => domain.vmId === vmId))
    .map(([vmId, token]): DomainReport => ({ vmId, token, state: 'Stopped' }));
  const reports = await Promise.all([...pools.values()].map((pool) => pool.report()));
  return {
    facts: {
      bootId,
      ...(await libvirt.facts()),
      pools: reports,
      slipwayVersion: SLIPWAY_VERSION,
      protocolVersion: PROTOCOL_VERSION,
      missingTools: toolsWithout(dependencies),
      ipAddress,
      keystore: await certificates.report(),
    },
    domains: [...present, ...ended].sort((a, b) => a.vmId.localeCompare(b.vmId)),
  };
}

/** A program that is there and does not work is missing, too: with the reason, which nobody sees but in a log of the host. */
function toolsWithout({ missingTools, confinementProblem }: HostDependencies): string[] {
  const problem = confinementProblem();
  return problem === undefined
    ? missingTools
    : [...missingTools.filter((name) => name !== 'bwrap'), `bwrap (${problem})`];
}

/** A pool's use changes all the time; only a change that placement would notice is worth a round trip. */
const NOTABLE_SHARE_OF_CAPACITY = 0.01;

export function hasChanged(known: HostStatus, now: HostStatus): boolean {
  const { pools: knownPools, ...knownFacts } = known.facts;
  const { pools, ...facts } = now.facts;
  if (JSON.stringify([knownFacts, known.domains]) !== JSON.stringify([facts, now.domains])) return true;
  return pools.some((pool) => {
    const before = knownPools.find(({ poolId }) => poolId === pool.poolId);
    if (before?.capacityBytes !== pool.capacityBytes || before.problem !== pool.problem) return true;
    return Math.abs(before.usedBytes - pool.usedBytes) > pool.capacityBytes * NOTABLE_SHARE_OF_CAPACITY;
  });
}

/**
 * Whether nothing has changed but that domains were started. Whoever had them started knows: that they run is of interest
 * only where they should not.
 */
export function hasOnlyStarted(known: HostStatus, now: HostStatus): boolean {
  const before = new Map(known.domains.map(({ vmId, token }) => [vmId, token]));
  // Also one that is paused: what a host is to say once more would be told again at once, for as long as it is doubtful.
  const isNew = ({ vmId, token, state }: DomainReport): boolean =>
    (state === 'Running' || state === 'Paused') && before.get(vmId) !== token;
  const started = new Set(now.domains.filter(isNew).map(({ vmId }) => vmId));
  const others = ({ vmId }: DomainReport): boolean => !started.has(vmId);
  return !hasChanged(
    { ...known, domains: known.domains.filter(others) },
    { ...now, domains: now.domains.filter(others) },
  );
}
