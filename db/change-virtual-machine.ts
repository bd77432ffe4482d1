import { eq } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database } from './client.js';
import { lockVirtualMachine } from './lock-virtual-machine.js';
import { vmInstance } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

interface VirtualMachineChange {
  id: string;
  name: string | undefined;
  displayName: string | undefined;
  userDataEncrypted: string | undefined;
  /** Who asked for it. */
  userId: string;
}

/**
 * Changes what is given. A domain that runs has its names and its user data from its start: of those, the one that says
 * who the guest is cannot change under it.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE for a new name of a VM that is not Stopped
 */
export async function changeVirtualMachine(
  db: Database,
  { id, name, displayName, userDataEncrypted, userId }: VirtualMachineChange,
): Promise<void> {
  await db.transaction(async (tx) => {
    const vm = await lockVirtualMachine(tx, id);
    if (name !== undefined && name !== vm.name && vm.state !== 'Stopped') {
      throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${vm.name} is ${vm.state}: stop it to change its name`);
    }
    const changes = withoutUndefined({ name, displayName, userDataEncrypted });
    const changed = Object.keys(changes) as (keyof typeof changes)[];
    if (changed.length === 0) return;
    await tx.update(vmInstance).set(changes).where(eq(vmInstance.id, id));
    await audit(
      tx,
      { accountId: vm.accountId, userId },
      {
        type: 'VM.UPDATE',
        description: `VM ${vm.name} was changed: ${changed.map((key) => CHANGED[key]).join(', ')}`,
        resourceType: 'VirtualMachine',
        resourceId: id,
      },
    );
  });
}

const CHANGED = { name: 'its name', displayName: 'its display name', userDataEncrypted: 'its user data' };
