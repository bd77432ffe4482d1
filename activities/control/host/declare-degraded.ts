import { and, eq, notInArray } from 'drizzle-orm';
import { findRunningJob } from '../../../db/jobs.js';
import { capacityClaim, cleanupDebt, host, vmInstance } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { HostJobInput } from '../../../shared/hosts.js';
import { vmWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { hasBegun, lockHostOfJob } from './lock-host.js';
import { recordEvent } from '../record-event.js';
import { recordVmEvent } from '../virtual-machine/vm-operation.js';

export interface TakeForStoppedInput extends HostJobInput {
  /** A later one declares nothing that the operator has taken back. */
  isFirstLook: boolean;
}

/**
 * An operator vouches that nothing runs on the host any more. Its VMs are Stopped, and the host owes the end of their
 * domains: should it come back, it ends them before it is Up. Those that an operation works on are left to it.
 *
 * @returns how many were left; ask again then
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the host answers, or was removed; SLIPWAY_CANCELLED when the operator
 *   has taken it back since this job has looked first
 */
export const takeForStopped =
  ({ db }: ControlDependencies) =>
  async ({ isFirstLook, ...input }: TakeForStoppedInput): Promise<{ busy: number }> =>
    db.transaction(async (tx) => {
      const locked = await lockHostOfJob(tx, input);
      if (!locked) return { busy: 0 };
      const { self, job } = locked;
      const isAgain = !isFirstLook || (await hasBegun(tx, self, job, 'HOST.DECLARE.DEGRADED'));
      if (self.resourceState !== 'Degraded') {
        if (isAgain) {
          throw new SlipwayError(
            'SLIPWAY_CANCELLED',
            `Host ${self.name} is not Degraded any more: the declaration was taken back`,
          );
        }
        if (self.status === 'Up') {
          throw new SlipwayError(
            'SLIPWAY_RESOURCE_STATE',
            `Host ${self.name} is Up: only one that does not answer can be declared as Degraded`,
          );
        }
        await tx.update(host).set({ resourceState: 'Degraded' }).where(eq(host.id, self.id));
      } else if (self.status === 'Up') {
        // It has come back meanwhile, and says itself what runs there.
        return { busy: 0 };
      }
      // Also where another job has declared it before: by this it is known that this one has begun.
      if (!isAgain) {
        await recordEvent(tx, {
          type: 'HOST.DECLARE.DEGRADED',
          level: 'WARN',
          description: `Host ${self.name} is Degraded: its virtual machines are taken for stopped`,
          accountId: job.accountId,
          jobId: job.id,
          resourceType: 'Host',
          resourceId: self.id,
        });
      }
      const isHere = and(eq(vmInstance.hostId, self.id), notInArray(vmInstance.state, ['Stopped', 'Destroyed']));
      const here = await tx.$count(vmInstance, isHere);
      // Whatever works on a VM locks its row first and its host's then: to wait here for a VM could be for ever.
      const vms = await tx.select().from(vmInstance).where(isHere).for('update', { skipLocked: true });
      let busy = Math.max(0, here - vms.length);
      for (const vm of vms) {
        const working = await findRunningJob(tx, vmWorkflowId(vm.id));
        if (working || vm.state !== 'Running') busy++;
        else await takeVm(tx, { vm, self, jobId: job.id });
      }
      return { busy };
    });

/** Its domain is owed, should it still be there. */
async function takeVm(
  tx: Transaction,
  { vm, self, jobId }: { vm: typeof vmInstance.$inferSelect; self: typeof host.$inferSelect; jobId: string },
): Promise<void> {
  const [claim] = await tx
    .select()
    .from(capacityClaim)
    .where(and(eq(capacityClaim.vmId, vm.id), eq(capacityClaim.token, vm.fenceToken)));
  if (claim) {
    const debt = { vmId: vm.id, token: claim.token, hostId: self.id, keepsDisk: true };
    await tx
      .insert(cleanupDebt)
      .values({ ...debt, reason: 'The host was declared as Degraded' })
      .onConflictDoNothing();
  }
  await tx.update(vmInstance).set({ state: 'Stopped', hostId: null }).where(eq(vmInstance.id, vm.id));
  const told = {
    description: `VM ${vm.name} is taken for stopped: host ${self.name} is Degraded`,
    ownerDescription: `VM ${vm.name} is taken for stopped: its host is Degraded`,
  };
  await recordVmEvent(tx, vm, 'STOP', 'WARN', told, jobId);
}
