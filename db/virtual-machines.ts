import { randomUUID } from 'node:crypto';
import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { GlobalSettingValues } from '../shared/settings.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { heldAccount, refuseGone } from './hold-account.js';
import { requireIdle } from './jobs.js';
import { lockedOwner } from './require-room.js';
import { insertNics, type NewNic } from './nics.js';
import { requireZone } from './require-zone.js';
import { vmInstance, volumes } from './schema/index.js';

export interface NewVirtualMachine {
  id?: string;
  name?: string;
  displayName?: string;
  accountId: string;
  /** Given where the row of the account is to be locked, for `requireRoom`. */
  lockBy?: GlobalSettingValues;
  zoneId: string;
  templateId: string;
  serviceOfferingId: string;
  /** The ISO in its drive, from which it is installed; then it is `templateId` too. */
  isoId?: string;
  rootDisk?: { sizeBytes?: number; diskOfferingId?: string };
  /** The default one first. */
  nics?: NewNic[];
  keyPairs?: { name: string; publicKey: string }[];
  /** The bytes in base64, encrypted by the installation's key. */
  userDataEncrypted?: string;
  vncPasswordEncrypted?: string;
  /** `Stopped` for one that is started later, by somebody; `Starting` when absent. */
  state?: 'Starting' | 'Stopped';
}

/**
 * Inserts the VM with its interfaces, and its root volume still without a place. Call it in the transaction
 * of its job.
 *
 * @throws SlipwayError of `insertNics`; SLIPWAY_RESOURCE_STATE when the zone was deleted, and
 *   SLIPWAY_PARAMETER_INVALID when the account was
 */
export async function createVirtualMachine(
  db: Pick<Database, 'select' | 'insert'>,
  vm: NewVirtualMachine,
): Promise<{ id: string; name: string }> {
  await requireZone(db, vm.zoneId);
  const id = vm.id ?? randomUUID();
  const name = vm.name ?? `VM-${id}`;
  const inserted = db.insert(vmInstance).values({
    id,
    name,
    displayName: vm.displayName ?? name,
    instanceName: `i-${id}`,
    accountId: vm.lockBy ? lockedOwner(vm.accountId, vm.lockBy) : heldAccount(vm.accountId),
    dataCenterId: vm.zoneId,
    templateId: vm.templateId,
    serviceOfferingId: vm.serviceOfferingId,
    isoId: vm.isoId,
    userDataEncrypted: vm.userDataEncrypted,
    vncPasswordEncrypted: vm.vncPasswordEncrypted,
    sshPublicKeys: vm.keyPairs?.map(({ publicKey }) => publicKey),
    keyPairNames: vm.keyPairs?.map((pair) => pair.name),
    state: vm.state ?? 'Starting',
  });
  await refuseGone(vm.accountId, inserted);
  await db.insert(volumes).values({
    name: `ROOT-${id}`,
    accountId: vm.accountId,
    instanceId: id,
    volumeType: 'ROOT',
    templateId: vm.templateId,
    diskOfferingId: vm.rootDisk?.diskOfferingId,
    wantedSizeBytes: vm.rootDisk?.sizeBytes,
  });
  await insertNics(db, id, vm.nics ?? []);
  return { id, name };
}

/**
 * Destroyed becomes Stopped. Whatever works on VMs locks the row first, and so waits, or is seen here.
 *
 * @param check in the same transaction, once it is so
 * @throws SlipwayError SLIPWAY_RESOURCE_BUSY, or SLIPWAY_RESOURCE_STATE when the VM is not Destroyed, or was in Error
 */
export async function recoverDestroyed(
  db: Database,
  id: string,
  userId?: string,
  check?: (tx: Transaction, owner: { accountId: string }) => Promise<void>,
): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx
      .select({ vm: vmInstance, path: volumes.path })
      .from(vmInstance)
      .innerJoin(
        volumes,
        and(eq(volumes.instanceId, vmInstance.id), eq(volumes.volumeType, 'ROOT'), isNull(volumes.removed)),
      )
      .where(eq(vmInstance.id, id))
      .for('update', { of: vmInstance });
    await requireIdle(tx, id);
    // One that was never started gets its disk when it is; the disk of one whose deployment failed is gone.
    const mayHaveDisk = row !== undefined && (row.path !== null || row.vm.errorText === null);
    if (row?.vm.state !== 'Destroyed' || !mayHaveDisk) {
      const why = row?.vm.state === 'Destroyed' ? 'has no disk' : `is ${row?.vm.state}, and not Destroyed`;
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${row?.vm.name} ${why}: it cannot be recovered`);
    }
    await tx.update(vmInstance).set({ state: 'Stopped', ended: null }).where(eq(vmInstance.id, id));
    await check?.(tx, row.vm);
    await audit(
      tx,
      { accountId: row.vm.accountId, userId },
      {
        type: 'VM.RECOVER',
        description: `VM ${row.vm.name} was recovered`,
        resourceType: 'VirtualMachine',
        resourceId: id,
      },
    );
  });
}
