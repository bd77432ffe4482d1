import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Transaction } from './client.js';
import { requireIdle } from './jobs.js';
import { lockVirtualMachine } from './lock-virtual-machine.js';
import { requireRoom } from './require-room.js';
import { serviceOffering, storagePool, vmInstance, volumes } from './schema/index.js';
import { readSettings } from './settings.js';

interface ServiceOfferingChange {
  vmId: string;
  serviceOfferingId: string;
  /** Who asked for it. */
  userId: string;
  /** The job that does it, if there is one. */
  jobId?: string;
}

/**
 * Gives a VM another service offering: it is what its next start takes of a host, so only one that is Stopped can be given
 * another. Its limits are those of its account, looked at where it grows.
 *
 * @returns false when there is no such offering
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE, SLIPWAY_RESOURCE_BUSY, SLIPWAY_LIMIT_EXCEEDED
 */
export async function changeServiceOfferingOf(
  tx: Transaction,
  { vmId, serviceOfferingId, userId, jobId }: ServiceOfferingChange,
): Promise<boolean> {
  const vm = await lockVirtualMachine(tx, vmId);
  await requireIdle(tx, vmId, jobId);
  if (vm.state !== 'Stopped') {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `VM ${vm.name} is ${vm.state}: stop it to change its service offering`,
    );
  }
  const [wanted] = await tx
    .select()
    .from(serviceOffering)
    .where(and(eq(serviceOffering.id, serviceOfferingId), isNull(serviceOffering.removed)));
  if (!wanted) return false;
  const [present] = await tx.select().from(serviceOffering).where(eq(serviceOffering.id, vm.serviceOfferingId));
  await requireTags(tx, vmId, wanted);
  await tx.update(vmInstance).set({ serviceOfferingId }).where(eq(vmInstance.id, vmId));
  const grown = [
    ...(wanted.cpu > present!.cpu ? (['cpu'] as const) : []),
    ...(wanted.ramMb > present!.ramMb ? (['memory'] as const) : []),
  ];
  if (grown.length > 0) await requireRoom(tx, vm, grown, await readSettings(tx));
  await audit(
    tx,
    { accountId: vm.accountId, userId },
    {
      type: 'VM.UPGRADE',
      description: `VM ${vm.name} was given the service offering ${wanted.name} in place of ${present!.name}`,
      resourceType: 'VirtualMachine',
      resourceId: vmId,
    },
  );
  return true;
}

/** Its disk stays where it is. One that has yet to be made has a pool only while a host owes the undo of a start there. */
async function requireTags(
  tx: Transaction,
  vmId: string,
  { name, storageTags }: typeof serviceOffering.$inferSelect,
): Promise<void> {
  const [pool] = await tx
    .select({ tags: storagePool.tags })
    .from(volumes)
    .innerJoin(storagePool, eq(storagePool.id, volumes.poolId))
    .where(
      and(
        eq(volumes.instanceId, vmId),
        eq(volumes.volumeType, 'ROOT'),
        isNull(volumes.removed),
        eq(volumes.state, 'Ready'),
      ),
    );
  if (!pool || storageTags.every((tag) => pool.tags.includes(tag))) return;
  throw new SlipwayError(
    'SLIPWAY_RESOURCE_STATE',
    `The primary storage that the root disk is on does not have the tags of the service offering ${name}`,
  );
}
