import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Database } from '../../../db/client.js';
import { networks, nics, type serviceOffering, templateSpoolRef, vmInstance } from '../../../db/schema/index.js';
import type { SecretBox } from '../../../db/secret-box.js';
import { newVncPassword } from '../../../db/vnc-password.js';
import { sealJson } from '../../../kvm/keystore/sealed-json.js';
import type { DomainSpec, GuestSecrets } from '../../../shared/virtual-machines.js';
import { readerKeyOf } from '../host/reader-key.js';

export type GuestRow = Pick<typeof vmInstance.$inferSelect, (typeof GUEST_COLUMNS)[number]>;
type Offering = Pick<typeof serviceOffering.$inferSelect, 'cpu' | 'ramMb'>;

/** What of a VM's row is needed to tell a host of it. */
export const GUEST_COLUMNS = [
  'id',
  'name',
  'instanceName',
  'displayName',
  'templateId',
  'isoId',
  'isoSpoolRefId',
  'userDataEncrypted',
  'sshPublicKeys',
  'keyResets',
  'vncPasswordEncrypted',
] as const;

const MIB = 1024 ** 2;

export const memoryBytesOf = ({ ramMb }: Pick<Offering, 'ramMb'>): number => ramMb * MIB;

/** What a host has to know of a VM to start it from the disk that it has, or will have, on a pool. */
export async function domainOf(
  db: Pick<Database, 'select' | 'update'>,
  secretBox: SecretBox,
  { instance, offering }: { instance: GuestRow; offering: Offering },
  { hostId, poolId }: { hostId: string; poolId: string },
): Promise<Omit<DomainSpec, 'rootVolume'>> {
  const attached = await db
    .select({ macAddress: nics.macAddress, type: networks.guestType, vlan: networks.vlan })
    .from(nics)
    .innerJoin(networks, eq(networks.id, nics.networkId))
    .where(and(eq(nics.instanceId, instance.id), isNull(nics.removed)))
    .orderBy(asc(nics.deviceId));
  return {
    vmId: instance.id,
    instanceName: instance.instanceName,
    displayName: instance.displayName,
    cpus: offering.cpu,
    memoryBytes: memoryBytesOf(offering),
    poolId,
    iso: await isoFileOf(db, instance),
    bootsFromIso: instance.isoId !== null && instance.isoId === instance.templateId,
    nics: attached,
    sealedGuest: await sealGuest(db, secretBox, instance, hostId),
  };
}

/** What is in the drive of a VM: its file on the pool; null when the drive is empty. */
export async function isoFileOf(
  db: Pick<Database, 'select'>,
  { isoSpoolRefId }: Pick<GuestRow, 'isoSpoolRefId'>,
): Promise<string | null> {
  if (isoSpoolRefId === null) return null;
  const [copy] = await db
    .select({ installPath: templateSpoolRef.installPath })
    .from(templateSpoolRef)
    .where(eq(templateSpoolRef.id, isoSpoolRefId));
  return copy?.installPath ?? null;
}

async function sealGuest(
  db: Pick<Database, 'select' | 'update'>,
  secretBox: SecretBox,
  vm: GuestRow,
  hostId: string,
): Promise<string> {
  const secrets: GuestSecrets = {
    hostName: vm.name,
    // Another one than before: cloud-init takes keys at the first boot of an instance alone.
    ...(vm.keyResets > 0 ? { instanceId: `${vm.id}-${vm.keyResets}` } : {}),
    ...(vm.userDataEncrypted === null ? {} : { userData: secretBox.decrypt(vm.userDataEncrypted) }),
    sshPublicKeys: vm.sshPublicKeys,
    vncPassword: secretBox.decrypt(vm.vncPasswordEncrypted ?? (await giveVncPassword(db, secretBox, vm.id))),
  };
  return sealJson(secrets, await readerKeyOf(db, hostId));
}

/** To a VM that was made by a version which gave it none before its first start. */
async function giveVncPassword(db: Pick<Database, 'update'>, secretBox: SecretBox, vmId: string): Promise<string> {
  const vncPasswordEncrypted = newVncPassword(secretBox);
  await db.update(vmInstance).set({ vncPasswordEncrypted }).where(eq(vmInstance.id, vmId));
  return vncPasswordEncrypted;
}
