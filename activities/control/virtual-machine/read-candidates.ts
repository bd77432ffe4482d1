import { type SQL, sql } from 'drizzle-orm';
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
import { factorsOf } from '../planner/factors.js';
import { freeBytes } from '../planner/pool-space.js';
import { clusterRoom } from './cluster-room.js';
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

/** A host with one of its pools. */
interface Row extends Record<string, unknown> {
  hostId: string;
  hostName: string;
  clusterId: string;
  status: string;
  resourceState: string;
  zoneState: string;
  podState: string;
  clusterState: string;
  arch: string;
  tags: string[];
  isDebtor: boolean;
  cpuMhz: number;
  cpuUsedMhz: number;
  ramBytes: number;
  ramUsedBytes: number;
  clusterCpuMhz: number;
  clusterCpuUsedMhz: number;
  clusterRamBytes: number;
  clusterRamUsedBytes: number;
  /** Null, as all that follows, for a host without pools. */
  poolId: string | null;
  poolName: string;
  poolStatus: string;
  poolTags: string[];
  capacityBytes: number;
  usedBytes: number;
  templateBytes: number;
  allocatedBytes: number;
  problem: string | null;
  hasTemplate: boolean;
}

/**
 * The hosts of the zone that are not excluded, with their pools, in one statement. It is in SQL, and gives plain rows: with
 * drizzle's own builder most of a claim's processor time went into this one statement.
 *
 * @param settings of the zone
 */
export async function readCandidates(
  tx: Transaction,
  query: CandidateQuery,
  settings: ScopedSettings,
): Promise<HostCandidate[]> {
  const { vmId, zoneId, templateId, poolId } = query;
  const rows = await tx.execute<Row>(sql`
    select h.id as "hostId", h.name as "hostName", h.cluster_id as "clusterId", h.status, h.resource_state as "resourceState",
      z.allocation_state as "zoneState", p.allocation_state as "podState", c.allocation_state as "clusterState",
      h.arch, h.tags,
      exists (select from ${cleanupDebt} d where d.vm_id = ${vmId} and d.host_id = h.id) as "isDebtor",
      h.cpus::float8 * h.speed_mhz as "cpuMhz", h.cpu_used_mhz as "cpuUsedMhz",
      h.ram_bytes::float8 as "ramBytes", h.ram_used_bytes::float8 as "ramUsedBytes",
      sums.cpu_mhz as "clusterCpuMhz", sums.cpu_used_mhz as "clusterCpuUsedMhz",
      sums.ram_bytes as "clusterRamBytes", sums.ram_used_bytes as "clusterRamUsedBytes",
      pool.id as "poolId", pool.name as "poolName", pool.status as "poolStatus", pool.tags as "poolTags",
      pool.capacity_bytes::float8 as "capacityBytes", pool.used_bytes::float8 as "usedBytes",
      pool.template_bytes::float8 as "templateBytes", pool.allocated_bytes::float8 as "allocatedBytes",
      ref.problem, copy.id is not null as "hasTemplate"
    from ${host} h
    join ${dataCenter} z on z.id = h.data_center_id
    join ${hostPodRef} p on p.id = h.pod_id
    join ${cluster} c on c.id = h.cluster_id
    join (
      -- Of all hosts of a cluster, those that are not asked about too.
      select cluster_id, sum(cpus::float8 * speed_mhz) as cpu_mhz, sum(cpu_used_mhz)::float8 as cpu_used_mhz,
        sum(ram_bytes)::float8 as ram_bytes, sum(ram_used_bytes)::float8 as ram_used_bytes
      from ${host}
      where data_center_id = ${zoneId} and removed is null
      group by cluster_id
    ) sums on sums.cluster_id = h.cluster_id
    left join ${storagePoolHostRef} ref on ref.host_id = h.id ${poolId ? sql`and ref.pool_id = ${poolId}` : sql``}
    left join ${storagePool} pool on pool.id = ref.pool_id and pool.removed is null
    -- While a refreshed template comes to a pool, one of another generation is beside it.
    left join ${templateSpoolRef} copy on copy.pool_id = pool.id and copy.template_id = ${templateId}
      and copy.generation = (select generation from ${vmTemplate} where id = ${templateId})
      and copy.state in ('Ready', 'Downloading', 'Allocated')
    where h.data_center_id = ${zoneId} and h.removed is null and h.hypervisor_type = 'KVM' ${askedFor(query)}`);
  const hosts = new Map<string, HostCandidate>();
  for (const row of rows) {
    let candidate = hosts.get(row.hostId);
    if (!candidate) hosts.set(row.hostId, (candidate = candidateOf(row, zoneId, settings)));
    if (row.poolId === null) continue;
    const rules = factorsOf(settings.at({ zoneId, clusterId: row.clusterId, poolId: row.poolId })).storage;
    candidate.pools.push({
      poolId: row.poolId,
      poolName: row.poolName,
      status: row.poolStatus,
      tags: row.poolTags,
      problem: row.problem,
      freeBytes: freeBytes(row, rules),
      overprovisioningFactor: rules.factor,
      hasTemplate: row.hasTemplate,
    });
  }
  return [...hosts.values()];
}

function candidateOf(row: Row, zoneId: string, settings: ScopedSettings): HostCandidate {
  const { hostId, hostName, clusterId, status, resourceState, zoneState, podState, clusterState } = row;
  const values = settings.at({ zoneId, clusterId });
  const { cpu, memory } = factorsOf(values);
  return {
    hostId,
    hostName,
    clusterId,
    status,
    resourceState,
    zoneState,
    podState,
    clusterState,
    arch: row.arch,
    tags: row.tags,
    isDebtor: row.isDebtor,
    cpuFreeMhz: row.cpuMhz * cpu - row.cpuUsedMhz,
    ramFreeBytes: row.ramBytes * memory - row.ramUsedBytes,
    clusterRoom: clusterRoom(
      {
        cpuMhz: row.clusterCpuMhz,
        cpuUsedMhz: row.clusterCpuUsedMhz,
        ramBytes: row.clusterRamBytes,
        ramUsedBytes: row.clusterRamUsedBytes,
      },
      values,
    ),
    pools: [],
  };
}

function askedFor({ within, excludedHostIds }: CandidateQuery): SQL {
  const conditions = [
    within?.hostId && sql`and h.id = ${within.hostId}`,
    within?.podId && sql`and h.pod_id = ${within.podId}`,
    within?.clusterId && sql`and h.cluster_id = ${within.clusterId}`,
    excludedHostIds.length > 0 && sql`and h.id not in ${excludedHostIds}`,
  ];
  return sql.join(
    conditions.filter((condition) => typeof condition === 'object'),
    sql` `,
  );
}
