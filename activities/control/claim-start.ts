import { and, eq, isNull, max, sql } from 'drizzle-orm';
import {
  asyncJob,
  cleanupDebt,
  cluster,
  host,
  JOB_STATUS,
  serviceOffering,
  storagePool,
  storagePoolHostRef,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import type { SecretBox } from '../../db/secret-box.js';
import { SlipwayError } from '../../shared/errors.js';
import { type StartOrder, type StartVirtualMachineInput, TOKENS_PER_TRY } from '../../shared/virtual-machines.js';
import { takeComputeForDisk } from './capacity.js';
import { claimFirst, graceLeftMs, type NoHost, returnsWithinMs } from './claim-first.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { domainOf, memoryBytesOf } from './domain-spec.js';
import { type HostCandidate, type HostRefusal, rankHosts } from './planner/rank-hosts.js';
import { placementsOf, wrongState } from './vm-operation.js';

export interface ClaimStartInput extends StartVirtualMachineInput {
  excludedHostIds: string[];
}

export type ClaimStartResult =
  | { outcome: 'claimed'; order: StartOrder }
  | NoHost
  /** The job has ended: somebody started this workflow once too often. */
  | { outcome: 'obsolete' };

/**
 * Starting, with CPU and memory of the best host that reaches the root disk, under a new fencing token. A claim of this
 * job that is there already is answered again.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM is not Stopped or has no disk
 */
export const claimStart =
  ({ db, secretBox }: ControlDependencies) =>
  async (input: ClaimStartInput): Promise<ClaimStartResult> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, input);
      if (!vm) return { outcome: 'obsolete' };
      const { instance, offering } = vm;
      const isMine = ({ token, hostId }: { token: number; hostId: string }): boolean =>
        instance.state === 'Starting' && token === instance.fenceToken && !input.excludedHostIds.includes(hostId);
      const earlier = (await placementsOf(tx, instance.id, { isComputing: true })).find(isMine);
      const debtor = await debtorOf(tx, instance.id);
      if (earlier && !debtor) return { outcome: 'claimed', order: await orderOf(tx, secretBox, vm, earlier) };
      await tx.update(vmInstance).set({ state: 'Starting' }).where(eq(vmInstance.id, instance.id));
      if (debtor) return { outcome: 'no host', ...debtor };

      const { hosts, refused: outOfReach } = await candidates(tx, vm, input);
      const compute = { cpuMhz: offering.cpu * offering.speedMhz, ramBytes: memoryBytesOf(offering) };
      const { places, refused } = rankHosts(hosts, {
        ...compute,
        arch: vm.template.arch,
        diskBytes: 0,
        templateBytes: 0,
        overprovisioningFactor: 1,
      });
      refused.push(...outOfReach);
      const token = instance.fenceToken + TOKENS_PER_TRY;
      const claimed = await claimFirst(tx, { places, refused }, (savepoint, place) =>
        takeComputeForDisk(savepoint, { ...place, ...compute, vmId: instance.id, token }),
      );
      if (!claimed) return { outcome: 'no host', refused, returnsWithinMs: await returnsWithinMs(tx, refused) };
      await tx
        .update(vmInstance)
        .set({ fenceToken: token, lastHostId: claimed.hostId })
        .where(eq(vmInstance.id, instance.id));
      return { outcome: 'claimed', order: await orderOf(tx, secretBox, vm, { ...claimed, token }) };
    });

type LockedVm = NonNullable<Awaited<ReturnType<typeof lockVm>>>;

async function lockVm(tx: Transaction, { vmId, jobId }: StartVirtualMachineInput) {
  const [row] = await tx
    .select({ instance: vmInstance, template: vmTemplate, offering: serviceOffering, volume: volumes, job: asyncJob })
    .from(vmInstance)
    .innerJoin(vmTemplate, eq(vmTemplate.id, vmInstance.templateId))
    .innerJoin(serviceOffering, eq(serviceOffering.id, vmInstance.serviceOfferingId))
    .innerJoin(volumes, and(eq(volumes.instanceId, vmInstance.id), eq(volumes.volumeType, 'ROOT')))
    .innerJoin(asyncJob, eq(asyncJob.id, jobId))
    .where(eq(vmInstance.id, vmId))
    .for('update', { of: vmInstance });
  if (row?.job.jobStatus !== JOB_STATUS.inProgress) return undefined;
  const { instance, template, offering, volume } = row;
  if (instance.state !== 'Stopped' && instance.state !== 'Starting') throw wrongState(instance, 'Stopped');
  const { id, path, poolId } = volume;
  if (!path || !poolId) throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${instance.name} has no root disk`);
  return { instance, template, offering, volume: { id, path, poolId } };
}

/**
 * A host that has not answered to a stop may still run the VM. Another one must not start it on the same disk until that
 * host is back and has paid, however long it takes.
 */
async function debtorOf(tx: Transaction, vmId: string): Promise<Omit<NoHost, 'outcome'> | undefined> {
  const debts = await tx
    .select({ hostId: host.id, hostName: host.name, created: max(cleanupDebt.created) })
    .from(cleanupDebt)
    .innerJoin(host, eq(host.id, cleanupDebt.hostId))
    .where(and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.keepsDisk, true)))
    .groupBy(host.id, host.name);
  if (debts.length === 0) return undefined;
  const newestMs = Math.max(...debts.map(({ created }) => Date.parse(created!)));
  return {
    refused: debts.map(({ hostId, hostName }) => ({
      hostId,
      hostName,
      reason: 'may still run it: a stop is owed there',
    })),
    returnsWithinMs: await graceLeftMs(tx, (Date.now() - newestMs) / 1000),
  };
}

/** Hosts that reach the pool of the disk; when one is asked for by its id, only that. */
async function candidates(
  tx: Transaction,
  { instance, volume }: LockedVm,
  { hostId, excludedHostIds }: ClaimStartInput,
): Promise<{ hosts: HostCandidate[]; refused: HostRefusal[] }> {
  // What a host owes for this VM would be undone under the start.
  const owes = sql<boolean>`exists ${tx
    .select({ one: sql`1` })
    .from(cleanupDebt)
    .where(and(eq(cleanupDebt.vmId, instance.id), eq(cleanupDebt.hostId, host.id)))}`;
  const rows = await tx
    .select({ host, pool: storagePool, owes, allocationState: cluster.allocationState })
    .from(host)
    .innerJoin(cluster, eq(cluster.id, host.clusterId))
    .leftJoin(
      storagePoolHostRef,
      and(eq(storagePoolHostRef.hostId, host.id), eq(storagePoolHostRef.poolId, volume.poolId)),
    )
    .leftJoin(storagePool, and(eq(storagePool.id, storagePoolHostRef.poolId), isNull(storagePool.removed)))
    .where(
      and(
        eq(host.dataCenterId, instance.dataCenterId),
        eq(host.hypervisorType, 'KVM'),
        isNull(host.removed),
        hostId ? eq(host.id, hostId) : undefined,
      ),
    );
  const hosts: HostCandidate[] = [];
  const refused: HostRefusal[] = [];
  for (const row of rows) {
    const { id, name } = row.host;
    if (excludedHostIds.includes(id) || (!row.pool && !hostId)) continue;
    const reason = !row.pool
      ? 'does not reach the pool of the root disk'
      : row.owes
        ? 'has yet to undo an earlier try'
        : row.allocationState !== 'Enabled'
          ? 'is in a cluster that is not Enabled'
          : undefined;
    if (!row.pool || reason) {
      refused.push({ hostId: id, hostName: name, reason: reason! });
      continue;
    }
    hosts.push({
      hostId: id,
      hostName: name,
      status: row.host.status,
      resourceState: row.host.resourceState,
      arch: row.host.arch,
      cpuFreeMhz: row.host.cpus * row.host.speedMhz - row.host.cpuUsedMhz,
      ramFreeBytes: row.host.ramBytes - row.host.ramUsedBytes,
      // Nothing is needed on the pool: the disk is there, and a pool that is full keeps no VM from starting.
      pools: [{ poolId: row.pool.id, status: row.pool.status, freeBytes: 0, hasTemplate: true }],
    });
  }
  return { hosts, refused };
}

async function orderOf(
  tx: Transaction,
  secretBox: SecretBox,
  vm: LockedVm,
  { hostId, hostName, token }: Pick<StartOrder, 'hostId' | 'hostName' | 'token'>,
): Promise<StartOrder> {
  const { instance, volume } = vm;
  return {
    vmId: instance.id,
    hostId,
    hostName,
    poolId: volume.poolId,
    volumeId: volume.id,
    token,
    domain: {
      ...(await domainOf(tx, secretBox, vm, { hostId, poolId: volume.poolId })),
      rootVolume: volume.path,
    },
  };
}
