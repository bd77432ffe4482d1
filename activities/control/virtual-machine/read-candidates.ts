import { and, eq, exists, inArray, isNull, notInArray, type SQL, sql } from 'drizzle-orm';
import {
  cleanupDebt,
  cluster,
  dataCenter,
  host,
  hostPodRef,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  vmTemplate,
} from '../../../db/schema/index.js';
import type { DeployVirtualMachineInput } from '../../../shared/virtual-machines.js';
import type { Transaction } from '../dependencies.js';
import type { ScopedSettings } from '../../../shared/scoped-settings.js';
import { type Factors, factorsOf } from '../planner/factors.js';
import { freeBytes } from '../planner/pool-space.js';
import { clusterRoom, clusterSums } from './cluster-rooms.js';
import type { HostCandidate } from '../planner/rank-hosts.js';

export interface CandidateQuery {
  vmId: string;
  zoneId: string;
  excludedHostIds: string[];
  within?: DeployVirtualMachineInput['within'];
  /** Whose copies count. */
  templateId: string;
  /** The only pool that counts; every pool of a host when absent. */
  poolId?: string;
}

/**
 * The hosts of the zone that are not excluded, with their pools, in one statement.
 *
 * @param settings of the zone
 */
export async function readCandidates(
  tx: Transaction,
  query: CandidateQuery,
  settings: ScopedSettings,
): Promise<HostCandidate[]> {
  const { poolId, templateId, zoneId } = query;
  const sums = clusterSums(tx, zoneId);
  const rows = await tx
    .select({
      hostId: host.id,
      hostName: host.name,
      clusterId: host.clusterId,
      status: host.status,
      resourceState: host.resourceState,
      zoneState: dataCenter.allocationState,
      podState: hostPodRef.allocationState,
      clusterState: cluster.allocationState,
      arch: host.arch,
      tags: host.tags,
      isDebtor: owes(tx, query.vmId),
      has: {
        cpus: host.cpus,
        speedMhz: host.speedMhz,
        cpuUsedMhz: host.cpuUsedMhz,
        ramBytes: host.ramBytes,
        ramUsedBytes: host.ramUsedBytes,
      },
      pool: {
        poolId: storagePool.id,
        poolName: storagePool.name,
        status: storagePool.status,
        tags: storagePool.tags,
        capacityBytes: storagePool.capacityBytes,
        usedBytes: storagePool.usedBytes,
        templateBytes: storagePool.templateBytes,
        allocatedBytes: storagePool.allocatedBytes,
      },
      ofCluster: {
        cpuMhz: sums.cpuMhz,
        cpuUsedMhz: sums.cpuUsedMhz,
        ramBytes: sums.ramBytes,
        ramUsedBytes: sums.ramUsedBytes,
      },
      problem: storagePoolHostRef.problem,
      copyId: templateSpoolRef.id,
    })
    .from(host)
    .innerJoin(dataCenter, eq(dataCenter.id, host.dataCenterId))
    .innerJoin(hostPodRef, eq(hostPodRef.id, host.podId))
    .innerJoin(cluster, eq(cluster.id, host.clusterId))
    .innerJoin(sums, eq(sums.clusterId, host.clusterId))
    .leftJoin(
      storagePoolHostRef,
      and(eq(storagePoolHostRef.hostId, host.id), poolId ? eq(storagePoolHostRef.poolId, poolId) : undefined),
    )
    .leftJoin(storagePool, and(eq(storagePool.id, storagePoolHostRef.poolId), isNull(storagePool.removed)))
    .leftJoin(
      templateSpoolRef,
      and(
        eq(templateSpoolRef.poolId, storagePool.id),
        eq(templateSpoolRef.templateId, templateId),
        // While a refreshed template comes to a pool, one of another generation is beside it.
        sql`${templateSpoolRef.generation} = (${presentGeneration(tx, templateId)})`,
        inArray(templateSpoolRef.state, ['Ready', 'Downloading', 'Allocated']),
      ),
    )
    .where(and(isNull(host.removed), eq(host.hypervisorType, 'KVM'), ...askedFor(query)));
  const hosts = new Map<string, HostCandidate>();
  for (const { pool, problem, copyId, has, ofCluster, ...row } of rows) {
    const { clusterId } = row;
    const candidate = hosts.get(row.hostId) ?? {
      ...row,
      ...freeOf(has, factorsOf(settings.at({ zoneId, clusterId }))),
      clusterRoom: clusterRoom(ofCluster, settings, { zoneId, clusterId }),
      pools: [],
    };
    hosts.set(row.hostId, candidate);
    if (!pool) continue;
    const { poolId: id, poolName, status, tags, ...space } = pool;
    const rules = factorsOf(settings.at({ zoneId, clusterId, poolId: id })).storage;
    candidate.pools.push({
      poolId: id,
      poolName,
      status,
      tags,
      problem,
      freeBytes: freeBytes(space, rules),
      overprovisioningFactor: rules.factor,
      hasTemplate: copyId !== null,
    });
  }
  return [...hosts.values()];
}

type Compute = Pick<typeof host.$inferSelect, 'cpus' | 'speedMhz' | 'cpuUsedMhz' | 'ramBytes' | 'ramUsedBytes'>;

const freeOf = (has: Compute, { cpu, memory }: Factors): Pick<HostCandidate, 'cpuFreeMhz' | 'ramFreeBytes'> => ({
  cpuFreeMhz: has.cpus * has.speedMhz * cpu - has.cpuUsedMhz,
  ramFreeBytes: has.ramBytes * memory - has.ramUsedBytes,
});

const askedFor = ({ zoneId, within, excludedHostIds }: CandidateQuery): (SQL | undefined)[] => [
  eq(host.dataCenterId, zoneId),
  within?.hostId ? eq(host.id, within.hostId) : undefined,
  within?.podId ? eq(host.podId, within.podId) : undefined,
  within?.clusterId ? eq(host.clusterId, within.clusterId) : undefined,
  excludedHostIds.length > 0 ? notInArray(host.id, excludedHostIds) : undefined,
];

const presentGeneration = (tx: Transaction, templateId: string) =>
  tx.select({ generation: vmTemplate.generation }).from(vmTemplate).where(eq(vmTemplate.id, templateId));

const owes = (tx: Transaction, vmId: string): SQL<boolean> =>
  exists(
    tx
      .select({ one: sql`1` })
      .from(cleanupDebt)
      .where(and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.hostId, host.id))),
  ) as SQL<boolean>;
