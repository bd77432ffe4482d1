import { and, eq, isNull, sql } from 'drizzle-orm';
import {
  host,
  storagePool,
  storagePoolHostRef,
  templateStoreRef,
  type vmInstance,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import { SlipwayError } from '../../shared/errors.js';
import { type ImageFormat, isDiskFormat } from '../../shared/images.js';
import type { StageRequest } from '../../shared/templates.js';
import type { Deployment, RestoreVirtualMachineInput } from '../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { overprovisioningFactor } from './planner/pool-space.js';
import { lockVm, wrongState } from './vm-operation.js';

export interface RestorePlan {
  /** Of the new disk, which stands beside the old one until it takes its place. */
  volumeId: string;
  /** What the new disk begins with. */
  stage: Omit<StageRequest, 'workflowId' | 'use'>;
  format: ImageFormat;
  rootDisk: Deployment['rootDisk'];
}

/**
 * Sets the space of a new root disk aside on the pool of the old one. Nothing changes for the VM. Done again by the same
 * job it answers the same: the new volume has the job's id.
 *
 * @returns null when the job has ended
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the VM, its disk or the template is in no state for it;
 *   SLIPWAY_PARAMETER_INVALID when the size does not fit the template; SLIPWAY_POOL_FULL
 */
export const beginRestore =
  ({ db }: ControlDependencies) =>
  async (input: RestoreVirtualMachineInput): Promise<RestorePlan | null> =>
    db.transaction(async (tx) => {
      const vm = await lockVm(tx, input);
      if (!vm) return null;
      const [begun] = await tx.select().from(volumes).where(eq(volumes.id, input.jobId));
      // A `customjobid` may be given again when its job has been purged.
      if (begun && (begun.instanceId !== vm.id || begun.state === 'Expunged')) {
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
      if (!isDiskFormat(template.format) && vm.isoId !== null && vm.isoId !== template.id) {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Another ISO is attached to VM ${vm.name}: detach it first`);
      }
      const sizeBytes = begun ? begun.wantedSizeBytes : sizeFor(input, { old, template });
      const settings = await readSettings(tx);
      if (!begun) {
        const reservedBytes = sizeBytes ?? template.sizeBytes ?? 0;
        const factor = overprovisioningFactor(settings['storage.overprovisioning.factor']);
        await reserve(tx, { poolId: old.poolId, bytes: reservedBytes, factor });
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

type Vm = typeof vmInstance.$inferSelect;
type Template = typeof vmTemplate.$inferSelect;

/** Of a VM that has one, with its pool. */
export async function rootVolumeOf(
  tx: Transaction,
  vm: Vm,
): Promise<typeof volumes.$inferSelect & { poolId: string; path: string }> {
  const [volume] = await tx
    .select()
    .from(volumes)
    .where(and(eq(volumes.instanceId, vm.id), eq(volumes.volumeType, 'ROOT'), isNull(volumes.removed)));
  const { poolId, path } = volume ?? {};
  if (!volume || !poolId || !path) {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${vm.name} has no root disk`);
  }
  return { ...volume, poolId, path };
}

/** @throws SlipwayError when it is not registered in the zone of the VM (any more) */
export async function templateFor(tx: Transaction, vm: Vm, templateId: string): Promise<Template> {
  const [row] = await tx
    .select({ template: vmTemplate })
    .from(vmTemplate)
    .innerJoin(
      templateStoreRef,
      and(
        eq(templateStoreRef.templateId, vmTemplate.id),
        eq(templateStoreRef.dataCenterId, vm.dataCenterId),
        eq(templateStoreRef.state, 'Ready'),
      ),
    )
    .where(and(eq(vmTemplate.id, templateId), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed)));
  if (row) return row.template;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Template ${templateId} is not ready in the zone of the VM`);
}

/** What was asked for; else what was asked for when the VM was made, where the template fits into that. */
function sizeFor(
  { sizeBytes }: RestoreVirtualMachineInput,
  { old, template }: { old: typeof volumes.$inferSelect; template: Template },
): number | null {
  const templateBytes = isDiskFormat(template.format) ? (template.sizeBytes ?? 0) : 0;
  if (sizeBytes !== undefined) {
    if (sizeBytes >= templateBytes) return sizeBytes;
    throw new SlipwayError(
      'SLIPWAY_PARAMETER_INVALID',
      `A root disk of ${sizeBytes} bytes is smaller than template ${template.name} of ${templateBytes} bytes`,
    );
  }
  if (!isDiskFormat(template.format)) return old.wantedSizeBytes ?? old.sizeBytes;
  return old.wantedSizeBytes !== null && old.wantedSizeBytes >= templateBytes ? old.wantedSizeBytes : null;
}

/** @throws SlipwayError SLIPWAY_POOL_FULL */
async function reserve(
  tx: Transaction,
  { poolId, bytes, factor }: { poolId: string; bytes: number; factor: number },
): Promise<void> {
  const pools = await tx
    .update(storagePool)
    .set({ allocatedBytes: sql`${storagePool.allocatedBytes} + ${bytes}` })
    .where(
      and(
        eq(storagePool.id, poolId),
        eq(storagePool.status, 'Up'),
        sql`${storagePool.allocatedBytes} + ${bytes}
          <= (${storagePool.capacityBytes} - ${storagePool.templateBytes}) * ${factor}::float8`,
      ),
    )
    .returning({ id: storagePool.id });
  if (pools.length > 0) return;
  const [pool] = await tx.select({ name: storagePool.name }).from(storagePool).where(eq(storagePool.id, poolId));
  throw new SlipwayError(
    'SLIPWAY_POOL_FULL',
    `Pool ${pool?.name ?? poolId} has no space for a second root disk of ${bytes} bytes beside the one that is there`,
  );
}

/** Whom a stage prefers: the host of the VM, or one that is Up. */
export async function hostOfPool(
  tx: Transaction,
  poolId: string,
  preferredHostId: string | null,
): Promise<{ hostId: string; hostName: string }> {
  const [reader] = await tx
    .select({ hostId: host.id, hostName: host.name })
    .from(storagePoolHostRef)
    .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
    .where(and(eq(storagePoolHostRef.poolId, poolId), isNull(host.removed)))
    .orderBy(sql`${host.id} = ${preferredHostId} desc nulls last`, sql`${host.status} = 'Up' desc`, host.name)
    .limit(1);
  if (reader) return reader;
  throw new SlipwayError('SLIPWAY_NO_HOST', 'No host reaches the pool of the root disk any more');
}
