import { eq, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Transaction } from './client.js';
import { requireIdle } from './jobs.js';
import { lockVirtualMachine } from './lock-virtual-machine.js';
import { vmInstance } from './schema/index.js';
import type { NewVirtualMachine } from './virtual-machines.js';

interface NewKeys extends Required<Pick<NewVirtualMachine, 'keyPairs'>> {
  vmId: string;
  /** Who asked for it. */
  userId: string;
  /** The job that does it. */
  jobId: string;
}

/**
 * The keys that a guest is told at its next start, in place of those it has.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE, SLIPWAY_RESOURCE_BUSY
 */
export async function resetKeys(tx: Transaction, { vmId, keyPairs, userId, jobId }: NewKeys): Promise<void> {
  const vm = await lockVirtualMachine(tx, vmId);
  await requireIdle(tx, vmId, jobId);
  if (vm.state !== 'Stopped') {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${vm.name} is ${vm.state}: stop it to change its SSH keys`);
  }
  const keyPairNames = keyPairs.map(({ name }) => name);
  await tx
    .update(vmInstance)
    .set({
      sshPublicKeys: keyPairs.map(({ publicKey }) => publicKey),
      keyPairNames,
      keyResets: sql`${vmInstance.keyResets} + 1`,
    })
    .where(eq(vmInstance.id, vmId));
  await audit(
    tx,
    { accountId: vm.accountId, userId },
    {
      type: 'VM.RESETSSHKEY',
      description: `VM ${vm.name} was given the SSH key pairs ${keyPairNames.join(', ')}`,
      resourceType: 'VirtualMachine',
      resourceId: vmId,
    },
  );
}
