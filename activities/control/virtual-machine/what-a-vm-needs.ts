import { and, eq, isNull, sql } from 'drizzle-orm';
import {
  host,
  storagePoolHostRef,
  templateStoreRef,
  type vmInstance,
  vmTemplate,
  volumes,
} from '../../../db/schema/index.js';
import { isDiskToMake } from '../../../db/take-for-first-start.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Transaction } from '../dependencies.js';

type Vm = typeof vmInstance.$inferSelect;

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

/** The row of the root disk of a VM that has none yet, without a place; undefined for every other VM. */
export async function rowOfDiskToMake(tx: Transaction, vm: Vm): Promise<typeof volumes.$inferSelect | undefined> {
  const [volume] = await tx.select().from(volumes).where(isDiskToMake(vm.id));
  return volume;
}

/** @throws SlipwayError when it is not registered in the zone of the VM (any more) */
export async function templateFor(
  tx: Transaction,
  vm: Vm,
  templateId: string,
): Promise<typeof vmTemplate.$inferSelect> {
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
