import { and, eq, inArray, isNull, notExists, notInArray, sql } from 'drizzle-orm';
import {
  asyncJob,
  capacityClaim,
  cleanupDebt,
  cluster,
  host,
  JOB_STATUS,
  serviceOffering,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  templateStoreRef,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { type Deployment, TOKENS_PER_TRY } from '../../shared/virtual-machines.js';
import { takeCapacity } from './capacity.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { domainOf, memoryBytesOf } from './domain-spec.js';
import { claimFirst, type NoHost, returnsWithinMs } from './claim-first.js';
import { type Lack, makeRoom } from './make-room.js';
import { freeBytes, overprovisioningFactor } from './planner/pool-space.js';
import { type HostCandidate, type PlacementNeeds, rankHosts } from './planner/rank-hosts.js';
import { shortPools } from './planner/short-pools.js';

export interface ClaimHostInput {
  vmId: string;
  jobId: string;
  excludedHostIds: string[];
}

export type ClaimHostResult =
  | { outcome: 'claimed'; deployment: Deployment }
  | NoHost
  /** The job has ended or the VM has moved on: somebody started this workflow once too often. */
  | { outcome: 'obsolete' };

/**
 * Ranks the hosts that fit and claims the first that still has the capacity, with a new fencing token. A claim that is
 * there already is answered again: the one who made it died before he could say so, or the workflow was reset.
 */
export const claimHost =
  (dependencies: ControlDependencies) =>
  async (input: ClaimHostInput): Promise<ClaimHostResult> => {
    const short: Lack[] = [];
    const result = await dependencies.db.transaction(async (tx): Promise<ClaimHostResult> => {
      const vm = await lockVm(tx, input);
      if (!vm) return { outcome: 'obsolete' };
      const earlier = await earlierClaim(tx, vm.instance, input.excludedHostIds);
      if (earlier) return { outcome: 'claimed', deployment: await deploymentOf(tx, dependencies, vm, earlier) };
      await requireTemplate(tx, vm);
      const factor = overprovisioningFactor((await readSettings(tx))['storage.overprovisioning.factor']);
      const needs: PlacementNeeds = {
        arch: vm.template.arch,
        cpuMhz: vm.offering.cpu * vm.offering.speedMhz,
        ramBytes: memoryBytesOf(vm.offering),
        diskBytes: vm.volume.wantedSizeBytes ?? vm.template.sizeBytes ?? 0,
        templateBytes: vm.template.sizeBytes ?? 0,
        overprovisioningFactor: factor,
      };
      const hosts = await candidates(tx, vm.instance, input.excludedHostIds, factor);
      const { places, refused } = rankHosts(hosts, needs);
      const token = vm.instance.fenceToken + TOKENS_PER_TRY;
      const { cpuMhz, ramBytes, diskBytes } = needs;
      const claimed = await claimFirst(tx, { places, refused }, (savepoint, place) =>
        takeCapacity(savepoint, { ...place, cpuMhz, ramBytes, diskBytes, vmId: input.vmId, token }, factor),
      );
      if (claimed) {
        await tx
          .update(vmInstance)
          .set({ fenceToken: token, lastHostId: claimed.hostId })
          .where(eq(vmInstance.id, input.vmId));
        return { outcome: 'claimed', deployment: await deploymentOf(tx, dependencies, vm, { ...claimed, token }) };
      }
      short.push(...shortPools(hosts, needs).map((pool) => ({ ...pool, templateId: vm.template.id })));
      return { outcome: 'no host', refused, returnsWithinMs: await returnsWithinMs(tx, refused) };
    });
    if (result.outcome !== 'no host') return result;
    // Only now: whoever evicts locks copies first and pools then, as who joins a stage does.
    return { ...result, returnsWithinMs: Math.max(result.returnsWithinMs, await roomWithinMs(dependencies, short)) };
  };

/**
 * Has unused templates evicted from the first pool where that is enough. Only when no host has the space as it is: a
 * template that is there now need not be fetched later.
 *
 * @returns how long it is worth waiting for that
 */
async function roomWithinMs(dependencies: ControlDependencies, short: Lack[]): Promise<number> {
  for (const lack of short) {
    const room = await makeRoom(dependencies, lack);
    if (room) return room.withinMs;
  }
  return 0;
}

type LockedVm = NonNullable<Awaited<ReturnType<typeof lockVm>>>;

async function deploymentOf(
  tx: Transaction,
  { secretBox }: ControlDependencies,
  vm: LockedVm,
  place: Pick<Deployment, 'hostId' | 'hostName' | 'poolId' | 'token'>,
): Promise<Deployment> {
  const { instance, template, volume } = vm;
  return {
    ...place,
    vmId: instance.id,
    volumeId: volume.id,
    accountId: instance.accountId,
    zoneId: instance.dataCenterId,
    templateId: template.id,
    templateName: template.name,
    generation: template.generation,
    format: template.format,
    rootDisk: { sizeBytes: volume.wantedSizeBytes, isCopy: await isFullClone(tx) },
    domain: await domainOf(tx, secretBox, vm, place),
  };
}

const isFullClone = async (tx: Transaction): Promise<boolean> =>
  (await readSettings(tx))['create.full.clone'] === 'true';

/** The claim of the VM's present token, unless it was given up. */
async function earlierClaim(tx: Transaction, vm: typeof vmInstance.$inferSelect, excludedHostIds: string[]) {
  const [claim] = await tx
    .select({
      hostId: capacityClaim.hostId,
      hostName: host.name,
      poolId: capacityClaim.poolId,
      token: capacityClaim.token,
    })
    .from(capacityClaim)
    .innerJoin(host, eq(host.id, capacityClaim.hostId))
    .leftJoin(cleanupDebt, and(eq(cleanupDebt.vmId, capacityClaim.vmId), eq(cleanupDebt.token, capacityClaim.token)))
    .where(
      and(
        eq(capacityClaim.vmId, vm.id),
        eq(capacityClaim.token, vm.fenceToken),
        excludedHostIds.length > 0 ? notInArray(capacityClaim.hostId, excludedHostIds) : undefined,
        isNull(cleanupDebt.vmId),
      ),
    );
  return claim;
}

async function lockVm(tx: Transaction, { vmId, jobId }: ClaimHostInput) {
  const [row] = await tx
    .select({ instance: vmInstance, template: vmTemplate, offering: serviceOffering, volume: volumes, job: asyncJob })
    .from(vmInstance)
    .innerJoin(vmTemplate, eq(vmTemplate.id, vmInstance.templateId))
    .innerJoin(serviceOffering, eq(serviceOffering.id, vmInstance.serviceOfferingId))
    .innerJoin(
      volumes,
      and(eq(volumes.instanceId, vmInstance.id), eq(volumes.volumeType, 'ROOT'), isNull(volumes.removed)),
    )
    .innerJoin(asyncJob, eq(asyncJob.id, jobId))
    .where(eq(vmInstance.id, vmId))
    .for('update', { of: vmInstance });
  if (row?.job.jobStatus !== JOB_STATUS.inProgress || row.instance.state !== 'Starting') return undefined;
  return row;
}

/** A try that has its claim already goes on when the template is deleted under it. */
async function requireTemplate(tx: Transaction, { template, instance }: LockedVm): Promise<void> {
  const [bypassed] = await tx
    .select({ id: templateStoreRef.id })
    .from(templateStoreRef)
    .where(
      and(
        eq(templateStoreRef.templateId, template.id),
        eq(templateStoreRef.dataCenterId, instance.dataCenterId),
        eq(templateStoreRef.state, 'Ready'),
      ),
    );
  if (!bypassed || template.state !== 'Active') {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${template.name} is not ready in the zone of the VM`);
  }
}

async function candidates(
  tx: Transaction,
  vm: typeof vmInstance.$inferSelect,
  excludedHostIds: string[],
  factor: number,
): Promise<HostCandidate[]> {
  // What a host owes for this VM would be undone under a newer try of it.
  const owes = tx
    .select({ one: sql`1` })
    .from(cleanupDebt)
    .where(and(eq(cleanupDebt.vmId, vm.id), eq(cleanupDebt.hostId, host.id)));
  const rows = await tx
    .select({ host, pool: storagePool, spool: templateSpoolRef.id })
    .from(host)
    .innerJoin(cluster, eq(cluster.id, host.clusterId))
    .leftJoin(storagePoolHostRef, eq(storagePoolHostRef.hostId, host.id))
    .leftJoin(storagePool, and(eq(storagePool.id, storagePoolHostRef.poolId), isNull(storagePool.removed)))
    .leftJoin(
      templateSpoolRef,
      and(
        eq(templateSpoolRef.poolId, storagePool.id),
        eq(templateSpoolRef.templateId, vm.templateId),
        inArray(templateSpoolRef.state, ['Ready', 'Downloading', 'Allocated']),
      ),
    )
    .where(
      and(
        eq(host.dataCenterId, vm.dataCenterId),
        eq(host.hypervisorType, 'KVM'),
        eq(cluster.allocationState, 'Enabled'),
        isNull(host.removed),
        notExists(owes),
      ),
    );
  const hosts = new Map<string, HostCandidate>();
  for (const row of rows) {
    if (excludedHostIds.includes(row.host.id)) continue;
    const candidate = hosts.get(row.host.id) ?? {
      hostId: row.host.id,
      hostName: row.host.name,
      status: row.host.status,
      resourceState: row.host.resourceState,
      arch: row.host.arch,
      cpuFreeMhz: row.host.cpus * row.host.speedMhz - row.host.cpuUsedMhz,
      ramFreeBytes: row.host.ramBytes - row.host.ramUsedBytes,
      pools: [],
    };
    hosts.set(row.host.id, candidate);
    if (!row.pool) continue;
    candidate.pools.push({
      poolId: row.pool.id,
      status: row.pool.status,
      freeBytes: freeBytes(row.pool, factor),
      hasTemplate: row.spool !== null,
    });
  }
  return [...hosts.values()];
}
