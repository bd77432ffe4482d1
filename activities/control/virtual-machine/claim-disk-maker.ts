import { and, eq } from 'drizzle-orm';
import { serviceOffering, vmInstance, vmTemplate, volumes } from '../../../db/schema/index.js';
import { readScopedSettings } from '../../../db/scoped-settings.js';
import { SlipwayError } from '../../../shared/errors.js';
import { type Placement, TOKENS_PER_TRY, type VirtualMachineJobInput } from '../../../shared/virtual-machines.js';
import { type NoHost, returnsWithinMs } from './claim-first.js';
import { debtorOf } from './claim-start.js';
import type { ControlDependencies } from '../dependencies.js';
import type { HostCandidate } from '../planner/rank-hosts.js';
import { rankReaders } from '../planner/rank-readers.js';
import { readCandidates } from './read-candidates.js';
import { lockVm, wrongState } from './vm-operation.js';

export interface ClaimDiskMakerInput extends VirtualMachineJobInput {
  excludedHostIds: string[];
}

export type ClaimDiskMakerResult =
  | { outcome: 'claimed'; placement: Placement }
  | NoHost
  /** The job has ended: somebody started this workflow once too often. */
  | { outcome: 'obsolete' };

/**
 * Chooses the host that makes the new disk of a Stopped VM, under a new fencing token: the one that it ran on last, if
 * that can. It takes no CPU and memory of it.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM is not Stopped
 */
export const claimDiskMaker =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, excludedHostIds }: ClaimDiskMakerInput): Promise<ClaimDiskMakerResult> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, { vmId, jobId });
      if (!vm) return { outcome: 'obsolete' };
      if (vm.state !== 'Stopped') throw wrongState(vm, 'Stopped');
      const [disk] = await tx
        .select({ volume: volumes, template: vmTemplate, offering: serviceOffering })
        .from(volumes)
        .innerJoin(vmTemplate, eq(vmTemplate.id, volumes.templateId))
        .innerJoin(serviceOffering, eq(serviceOffering.id, vm.serviceOfferingId))
        .where(and(eq(volumes.id, jobId), eq(volumes.instanceId, vmId)));
      const poolId = disk?.volume.poolId;
      if (!disk || !poolId) throw new SlipwayError('SLIPWAY_INTERNAL', `No new disk was begun for VM ${vm.name}`);
      const zoneId = vm.dataCenterId;
      const scoped = await readScopedSettings(tx, zoneId);
      const settings = scoped.at({ zoneId });
      // It may run the VM on the old disk, whatever becomes of the new one.
      const debtor = await debtorOf(tx, vmId, settings);
      if (debtor) return { outcome: 'no host', ...debtor };
      const query = { vmId, zoneId, excludedHostIds, templateId: disk.template.id, poolId };
      const hosts = await readCandidates(tx, query, scoped);
      const needs = { arch: disk.template.arch, hostTags: disk.offering.hostTags, cpuMhz: 0, ramBytes: 0 };
      const { places, refused } = rankReaders(hosts.map(withoutLoad), needs);
      const place = places.find(({ hostId }) => hostId === vm.lastHostId) ?? places[0];
      if (!place) {
        return { outcome: 'no host', refused, returnsWithinMs: await returnsWithinMs(tx, refused, settings) };
      }
      const { hostId, hostName } = place;
      const token = vm.fenceToken + TOKENS_PER_TRY;
      await tx.update(vmInstance).set({ fenceToken: token }).where(eq(vmInstance.id, vmId));
      await tx.update(volumes).set({ token, hostId }).where(eq(volumes.id, jobId));
      return { outcome: 'claimed', placement: { vmId, hostId, hostName, poolId, volumeId: jobId, token } };
    });

/** A host that has promised more than it has can make a disk as well. */
const withoutLoad = (candidate: HostCandidate): HostCandidate => ({
  ...candidate,
  cpuFreeMhz: 0,
  ramFreeBytes: 0,
  clusterRoom: undefined,
});
