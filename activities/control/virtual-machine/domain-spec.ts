import { randomBytes } from 'node:crypto';
import { and, asc, eq, isNull } from 'drizzle-orm';
import { networks, nics, type serviceOffering, templateSpoolRef, vmInstance } from '../../../db/schema/index.js';
import type { SecretBox } from '../../../db/secret-box.js';
import { sealJson } from '../../../kvm/keystore/sealed-json.js';
import type { DomainSpec, GuestSecrets } from '../../../shared/virtual-machines.js';
import type { Transaction } from '../dependencies.js';
import { readerKeyOf } from '../host/reader-key.js';

type Vm = Pick<typeof vmInstance.$inferSelect, (typeof GUEST_COLUMNS)[number]>;
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
  'vncPasswordEncrypted',
] as const;

const MIB = 1024 ** 2;
/** QEMU takes eight characters of a VNC password: six bytes in base64. */
const VNC_PASSWORD_BYTES = 6;

export const memoryBytesOf = ({ ramMb }: Pick<Offering, 'ramMb'>): number => ramMb * MIB;

/** What a host has to know of a VM to start it from the disk that it has, or will have, on a pool. */
export async function domainOf(
  tx: Transaction,
  secretBox: SecretBox,
  { instance, offering }: { instance: Vm; offering: Offering },
  { hostId, poolId }: { hostId: string; poolId: string },
): Promise<Omit<DomainSpec, 'rootVolume'>> {
  const attached = await tx
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
    iso: await isoFileOf(tx, instance),
    bootsFromIso: instance.isoId !== null && instance.isoId === instance.templateId,
    nics: attached,
    sealedGuest: await sealGuest(tx, secretBox, instance, hostId),
  };
}

/** What is in the drive of a VM: its file on the pool; null when the drive is empty. */
export async function isoFileOf(tx: Transaction, { isoSpoolRefId }: Pick<Vm, 'isoSpoolRefId'>): Promise<string | null> {
  if (isoSpoolRefId === null) return null;
  const [copy] = await tx
    .select({ installPath: templateSpoolRef.installPath })
    .from(templateSpoolRef)
    .where(eq(templateSpoolRef.id, isoSpoolRefId));
  return copy?.installPath ?? null;
}

async function sealGuest(tx: Transaction, secretBox: SecretBox, vm: Vm, hostId: string): Promise<string> {
  const publicKey = await readerKeyOf(tx, hostId);
  const secrets: GuestSecrets = {
    hostName: vm.name,
    ...(vm.userDataEncrypted === null ? {} : { userData: secretBox.decrypt(vm.userDataEncrypted) }),
    sshPublicKeys: vm.sshPublicKeys,
    vncPassword: await vncPassword(tx, secretBox, vm),
  };
  return sealJson(secrets, publicKey);
}

/** Made when the VM is first started, and then kept: whoever looks at its display need not ask again. */
async function vncPassword(tx: Transaction, secretBox: SecretBox, vm: Vm): Promise<string> {
  if (vm.vncPasswordEncrypted !== null) return secretBox.decrypt(vm.vncPasswordEncrypted);
  const password = randomBytes(VNC_PASSWORD_BYTES).toString('base64url');
  await tx
    .update(vmInstance)
    .set({ vncPasswordEncrypted: secretBox.encrypt(password) })
    .where(eq(vmInstance.id, vm.id));
  return password;
}
