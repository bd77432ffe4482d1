import { and, eq, gte, sql } from 'drizzle-orm';
import { asyncJob, storagePool, volumes } from '../../../db/schema/index.js';
import { requireRoom } from '../../../db/require-room.js';
import { readSettingsOf } from '../../../db/scoped-settings.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { ImageFormat } from '../../../shared/images.js';
import type { StageRequest } from '../../../shared/templates.js';
import type { Deployment, RestoreVirtualMachineInput } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { type Lack, makeRoom } from '../template/make-room.js';
import { type PoolRules, poolRulesOf } from '../planner/pool-space.js';
import { changeDiskToMake } from './change-disk-to-make.js';
import { requireDrive, sizeOfRestored } from './restored-disk.js';
import { lockVm, wrongState } from './vm-operation.js';
import { hostOfPool, rootVolumeOf, rowOfDiskToMake, templateFor } from './what-a-vm-needs.js';

export interface RestorePlan {
  /** Of the new disk, which stands beside the old one until it takes its place. */
  volumeId: string;
  /** What the new disk begins with. */
  stage: Omit<StageRequest, 'workflowId' | 'use'>;
  format: ImageFormat;
  rootDisk: Deployment['rootDisk'];
}

export type BeginRestoreResult =
  | { outcome: 'begun'; plan: RestorePlan }
  /** Unused templates are leaving the pool: it is worth looking again. */
  | { outcome: 'no space yet' }
  /** The job has ended: somebody started this workflow once too often. */
  | { outcome: 'obsolete' };

/** Thrown so that nothing of the restore stays in the database. */
class NoSpaceError extends Error {
  readonly lack: Lack;
  readonly refusal: SlipwayError;
  constructor(lack: Lack, refusal: SlipwayError) {
    super(refusal.message);
    this.lack = lack;
    this.refusal = refusal;
  }
}

/**
 * Sets the space of a new root disk aside on the pool of the old one. Nothing changes for the VM. Done again by the same
 * job it answers the same: the new volume has the job's id. A VM that has no disk yet has another one to be made from here
 * on, and the job has ended.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM, its disk or the template is in no state for it;
 *   SLIPWAY_PARAMETER_INVALID when the size does not fit the template; SLIPWAY_POOL_FULL; SLIPWAY_LIMIT_EXCEEDED
 */
export const beginRestore =
  (dependencies: ControlDependencies) =>
  async (input: RestoreVirtualMachineInput): Promise<BeginRestoreResult> => {
    try {
      const plan = await begin(dependencies, input);
      return plan ? { outcome: 'begun', plan } : { outcome: 'obsolete' };
    } catch (error) {
      if (!(error instanceof NoSpaceError)) throw error;
      // Only now: whoever evicts locks copies first and pools then.
      if (await makeRoom(dependencies, error.lack)) return { outcome: 'no space yet' };
      throw error.refusal;
    }
  };

const begin = ({ db }: ControlDependencies, input: RestoreVirtualMachineInput): Promise<RestorePlan | null> =>
  db.transaction(async (tx) => {
    const vm = await lockVm(tx, input);
    if (!vm) return null;
    const toMake = vm.state === 'Stopped' ? await rowOfDiskToMake(tx, vm) : undefined;
    if (toMake) {
      await changeDiskToMake(tx, input, vm, toMake);
      return null;
    }
    const [begun] = await tx.select().from(volumes).where(eq(volumes.id, input.jobId));
    // A `customjobid` may be given again when its job has been purged. The disk of that one may be about to be removed.
    if (begun && (begun.instanceId !== vm.id || !(await isDiskOf(tx, input.jobId)))) {
      throw new SlipwayError(
        'SLIPWAY_PARAMETER_INVALID',
        `The job id ${input.jobId} is in use; give another customjobid`,
      );
    }
    if (!begun && vm.state !== 'Running' && vm.state !== 'Stopped') throw wrongState(vm, 'Running or Stopped');
    if (begun?.removed === null) {
      throw new SlipwayError('SLIPWAY_WORKFLOW_LOST', 'The workflow was reset after the new disk was there');
    }
    const old = await rootVolumeOf(tx, vm);
    const template = await templateFor(tx, vm, input.templateId ?? vm.templateId);
    requireDrive(vm, template);
    const sizeBytes = begun ? begun.wantedSizeBytes : sizeOfRestored(input, { old, template });
    const settings = await readSettingsOf(tx, { poolId: old.poolId });
    if (!begun) {
      const reservedBytes = sizeBytes ?? template.sizeBytes ?? 0;
      const rules = poolRulesOf(settings);
      await reserve(tx, { poolId: old.poolId, templateId: template.id, bytes: reservedBytes, rules });
      await tx.insert(volumes).values({
        id: input.jobId,
        name: old.name,
        accountId: old.accountId,
        instanceId: vm.id,
        volumeType: 'ROOT',
        templateId: template.id,
        poolId: old.poolId,
        diskOfferingId: input.diskOfferingId ?? old.diskOfferingId,
        wantedSizeBytes: sizeBytes,
        reservedBytes,
        removed: sql`now()`,
      });
      const isLarger = reservedBytes > (old.sizeBytes ?? 0);
      if (isLarger) await requireRoom(tx, { accountId: old.accountId }, ['primary_storage'], settings);
    }
    const reader = await hostOfPool(tx, old.poolId, vm.hostId ?? vm.lastHostId);
    return {
      volumeId: input.jobId,
      stage: {
        ...reader,
        accountId: vm.accountId,
        poolId: old.poolId,
        templateId: template.id,
        templateName: template.name,
        generation: template.generation,
      },
      format: template.format,
      rootDisk: { sizeBytes, isCopy: settings['create.full.clone'] === 'true' },
    };
  });

/** Whether the job has begun the disk, and not an earlier one that had its id. */
async function isDiskOf(tx: Transaction, jobId: string): Promise<boolean> {
  const rows = await tx
    .select({ id: volumes.id })
    .from(volumes)
    .innerJoin(asyncJob, eq(asyncJob.id, volumes.id))
    .where(and(eq(volumes.id, jobId), gte(volumes.created, asyncJob.created)));
  return rows.length > 0;
}

/** @throws NoSpaceError, or SlipwayError when the pool is not Up */
async function reserve(
  tx: Transaction,
  { poolId, templateId, bytes, rules }: { poolId: string; templateId: string; bytes: number; rules: PoolRules },
): Promise<void> {
  const [pool] = await tx.select().from(storagePool).where(eq(storagePool.id, poolId)).for('no key update');
  if (pool?.status !== 'Up') {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `The pool of the root disk is ${pool?.status ?? 'gone'}`);
  }
  const { factor, mostAllocated } = rules;
  const forDisksBytes = pool.capacityBytes * mostAllocated - pool.templateBytes;
  const lackingBytes = Math.ceil((pool.allocatedBytes + bytes) / factor - forDisksBytes);
  if (lackingBytes > 0) {
    const text = `Pool ${pool.name} has no space for a second root disk of ${bytes} bytes beside the one that is there`;
    throw new NoSpaceError({ poolId, lackingBytes, templateId }, new SlipwayError('SLIPWAY_POOL_FULL', text));
  }
  await tx
    .update(storagePool)
    .set({ allocatedBytes: pool.allocatedBytes + bytes })
    .where(eq(storagePool.id, poolId));
}
