import { eq, isNull, sql } from 'drizzle-orm';
import { holdsCompute } from '../claim-sql.js';
import type { Database } from '../client.js';
import { capacityClaim, host, serviceOffering, storagePool, vmInstance } from '../schema/index.js';

/** What the hosts of one cluster have and what virtual machines hold of it. */
export interface ClusterCapacity {
  zoneId: string;
  podId: string;
  clusterId: string;
  cpuMhz: number;
  cpuUsedMhz: number;
  cores: number;
  coresUsed: number;
  ramBytes: number;
  ramUsedBytes: number;
}

/** One pool; a ZONE's has no pod and no cluster. */
export interface PoolCapacity {
  poolId: string;
  zoneId: string;
  podId: string | null;
  clusterId: string | null;
  scope: 'HOST' | 'CLUSTER' | 'ZONE';
  capacityBytes: number;
  /** On the file system, whoever uses it. */
  usedBytes: number;
  /** Promised to disks, and taken by templates. */
  allocatedBytes: number;
}

export interface Capacity {
  clusters: ClusterCapacity[];
  pools: PoolCapacity[];
}

/** Of hosts and pools that are there, whatever their state. */
export async function readCapacity(db: Database): Promise<Capacity> {
  const number = (text: ReturnType<typeof sql>) => sql<number>`coalesce(${text}, 0)::float8`;
  const coresOf = db
    .select({ hostId: capacityClaim.hostId, cores: sql<number>`sum(${serviceOffering.cpu})`.as('cores') })
    .from(capacityClaim)
    .innerJoin(vmInstance, eq(vmInstance.id, capacityClaim.vmId))
    .innerJoin(serviceOffering, eq(serviceOffering.id, vmInstance.serviceOfferingId))
    .where(holdsCompute)
    .groupBy(capacityClaim.hostId)
    .as('claimed');
  const clusters = await db
    .select({
      zoneId: host.dataCenterId,
      podId: host.podId,
      clusterId: host.clusterId,
      cpuMhz: number(sql`sum(${host.cpus}::float8 * ${host.speedMhz})`),
      cpuUsedMhz: number(sql`sum(${host.cpuUsedMhz})`),
      cores: number(sql`sum(${host.cpus})`),
      coresUsed: number(sql`sum(${coresOf.cores})`),
      ramBytes: number(sql`sum(${host.ramBytes})`),
      ramUsedBytes: number(sql`sum(${host.ramUsedBytes})`),
    })
    .from(host)
    .leftJoin(coresOf, eq(coresOf.hostId, host.id))
    .where(isNull(host.removed))
    .groupBy(host.dataCenterId, host.podId, host.clusterId);
  const pools = await db
    .select({
      poolId: storagePool.id,
      zoneId: storagePool.dataCenterId,
      podId: storagePool.podId,
      clusterId: storagePool.clusterId,
      scope: storagePool.scope,
      capacityBytes: storagePool.capacityBytes,
      usedBytes: storagePool.usedBytes,
      allocatedBytes: number(sql`${storagePool.allocatedBytes} + ${storagePool.templateBytes}`),
    })
    .from(storagePool)
    .where(isNull(storagePool.removed));
  return { clusters, pools };
}
