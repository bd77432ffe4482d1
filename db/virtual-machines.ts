import { randomUUID } from 'node:crypto';
import type { Database } from './client.js';
import { vmInstance, volumes } from './schema/index.js';

export interface NewVirtualMachine {
  id?: string;
  name?: string;
  displayName?: string;
  accountId: string;
  zoneId: string;
  templateId: string;
  serviceOfferingId: string;
}

/** Inserts the VM as Starting, with its root volume still without a place. Call it in the transaction of its job. */
export async function createVirtualMachine(
  db: Pick<Database, 'insert'>,
  vm: NewVirtualMachine,
): Promise<{ id: string; name: string }> {
  const id = vm.id ?? randomUUID();
  const name = vm.name ?? `VM-${id}`;
  await db.insert(vmInstance).values({
    id,
    name,
    displayName: vm.displayName ?? name,
    instanceName: `i-${id}`,
    accountId: vm.accountId,
    dataCenterId: vm.zoneId,
    templateId: vm.templateId,
    serviceOfferingId: vm.serviceOfferingId,
    state: 'Starting',
  });
  await db.insert(volumes).values({
    name: `ROOT-${id}`,
    accountId: vm.accountId,
    instanceId: id,
    volumeType: 'ROOT',
    templateId: vm.templateId,
  });
  return { id, name };
}
