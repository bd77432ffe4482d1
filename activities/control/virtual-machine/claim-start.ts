import { and, eq, ne, sql } from 'drizzle-orm';
import { cleanupDebt, host, serviceOffering, vmInstance, vmTemplate } from '../../../db/schema/index.js';
import type { SecretBox } from '../../../db/secret-box.js';
import { readScopedSettings } from '../../../db/scoped-settings.js';
import type { SettingValues } from '../../../shared/settings.js';
import {
  type Placement,
  type StartOrder,
  type StartVirtualMachineInput,
  TOKENS_PER_TRY,
} from '../../../shared/virtual-machines.js';
import { takeComputeForDisk } from './capacity.js';
import { claimFirst, graceLeftMs, type NoHost, returnsWithinMs } from './claim-first.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { oweCleanup } from './deployment.js';
import { domainOf, memoryBytesOf } from './domain-spec.js';
import { factorsOf } from '../planner/factors.js';
import type { HostCandidate } from '../planner/rank-hosts.js';
import { rankReaders } from '../planner/rank-readers.js';
import { readCandidates } from './read-candidates.js';
import { lockVm, placementsOf, wrongState } from './vm-operation.js';
import { rootVolumeOf } from './what-a-vm-needs.js';

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
  (dependencies: ControlDependencies) =>
  async (input: ClaimStartInput): Promise<ClaimStartResult> => {
    const result = await claim(dependencies, input);
    if (result.outcome !== 'revoked') return result;
    // Since it was claimed. An earlier run of the workflow, which was reset, may have begun something there.
    const { hostId, hostName, token } = result.earlier;
    const debt = { vmId: input.vmId, token, keepsDisk: true };
    await oweCleanup(dependencies)({ debt, reason: `Host ${hostName} was revoked` });
    return claimStart(dependencies)({ ...input, excludedHostIds: [...input.excludedHostIds, hostId] });
  };

const claim = (
  { db, secretBox }: ControlDependencies,
  input: ClaimStartInput,
): Promise<ClaimStartResult | { outcome: 'revoked'; earlier: Placement }> =>
  db.transaction(async (tx) => {
    const vm = await lockVmToStart(tx, input);
    if (!vm) return { outcome: 'obsolete' };
    const { instance, offering, template, volume } = vm;
    const zoneId = instance.dataCenterId;
    const scoped = await readScopedSettings(tx, zoneId);
    const settings = scoped.at({ zoneId });
    const isMine = ({ token, hostId }: { token: number; hostId: string }): boolean =>
      instance.state === 'Starting' && token === instance.fenceToken && !input.excludedHostIds.includes(hostId);
    const earlier = (await placementsOf(tx, instance.id, { isComputing: true })).find(isMine);
    if (earlier?.isRevoked) return { outcome: 'revoked', earlier };
    const debtor = await debtorOf(tx, instance.id, settings);
    if (earlier && !debtor) return { outcome: 'claimed', order: await orderOf(tx, secretBox, vm, earlier) };
    await tx.update(vmInstance).set({ state: 'Starting' }).where(eq(vmInstance.id, instance.id));
    if (debtor) return { outcome: 'no host', ...debtor };

    const { excludedHostIds, hostId, podId, clusterId } = input;
    const query = { vmId: instance.id, zoneId, excludedHostIds, within: { hostId, podId, clusterId } };
    const hosts = await readCandidates(tx, { ...query, templateId: template.id, poolId: volume.poolId }, scoped);
    const compute = { cpuMhz: offering.cpu * offering.speedMhz, ramBytes: memoryBytesOf(offering) };
    const needs = { ...compute, arch: template.arch, hostTags: offering.hostTags };
    const { places, refused } = rankReaders(hosts.map(withOpenPools), needs);
    const isPlaceNamed = [hostId, podId, clusterId].some((id) => id !== undefined);
    if (isPlaceNamed && places.length === 0 && refused.length === 0) {
      const reason = 'does not reach the pool of the root disk';
      refused.push(...hosts.map((candidate) => ({ hostId: candidate.hostId, hostName: candidate.hostName, reason })));
    }
    const token = instance.fenceToken + TOKENS_PER_TRY;
    const claimed = await claimFirst({ places, refused }, (place, mayWait) =>
      takeComputeForDisk(
        tx,
        { ...compute, hostId: place.hostId, poolId: place.poolId, vmId: instance.id, token },
        { factors: factorsOf(scoped.at({ zoneId, clusterId: place.clusterId })), mayWait },
      ),
    );
    if (!claimed) return { outcome: 'no host', refused, returnsWithinMs: await returnsWithinMs(tx, refused, settings) };
    await tx
      .update(vmInstance)
      .set({ fenceToken: token, lastHostId: claimed.hostId })
      .where(eq(vmInstance.id, instance.id));
    return { outcome: 'claimed', order: await orderOf(tx, secretBox, vm, { ...claimed, token }) };
  });

/** A pool that takes nothing new keeps no VM from starting: what it needs there is there. */
const withOpenPools = (candidate: HostCandidate): HostCandidate => ({
  ...candidate,
  pools: candidate.pools.map((pool) => ({ ...pool, status: pool.status === 'Disabled' ? 'Up' : pool.status })),
});

type VmToStart = NonNullable<Awaited<ReturnType<typeof lockVmToStart>>>;

async function lockVmToStart(tx: Transaction, input: StartVirtualMachineInput) {
  const instance = await lockVm(tx, input);
  if (!instance) return undefined;
  if (instance.state !== 'Stopped' && instance.state !== 'Starting') throw wrongState(instance, 'Stopped');
  const [made] = await tx
    .select({ template: vmTemplate, offering: serviceOffering })
    .from(vmTemplate)
    .innerJoin(serviceOffering, eq(serviceOffering.id, instance.serviceOfferingId))
    .where(eq(vmTemplate.id, instance.templateId));
  return { instance, ...made!, volume: await rootVolumeOf(tx, instance) };
}

/**
 * A host that has not answered to a stop may still run the VM. Another one must not start it on the same disk until that
 * host is back and has paid, however long it takes, or an operator has said that nothing runs there (Degraded).
 */
export async function debtorOf(
  tx: Transaction,
  vmId: string,
  settings: SettingValues,
): Promise<Omit<NoHost, 'outcome'> | undefined> {
  const sinceSeconds = sql<number>`extract(epoch from now() - max(${cleanupDebt.created}))::float8`;
  const debts = await tx
    .select({ hostId: host.id, hostName: host.name, sinceSeconds })
    .from(cleanupDebt)
    .innerJoin(host, eq(host.id, cleanupDebt.hostId))
    .where(and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.keepsDisk, true), ne(host.resourceState, 'Degraded')))
    .groupBy(host.id, host.name);
  if (debts.length === 0) return undefined;
  return {
    refused: debts.map(({ hostId, hostName }) => ({
      hostId,
      hostName,
      reason: 'may still run it: a stop is owed there',
    })),
    returnsWithinMs: Math.max(...debts.map((debt) => graceLeftMs(settings, debt.sinceSeconds))),
  };
}

async function orderOf(
  tx: Transaction,
  secretBox: SecretBox,
  vm: VmToStart,
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
