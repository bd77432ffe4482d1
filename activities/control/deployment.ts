import { and, eq, inArray } from 'drizzle-orm';
import { completeJob, type JobOutcome } from '../../db/jobs.js';
import { cleanupDebt, vmInstance, volumes } from '../../db/schema/index.js';
import { ERRORS, SlipwayError } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import type { Placement, VirtualMachineJobInput } from '../../shared/virtual-machines.js';
import { releaseCapacity } from './capacity.js';
import type { ControlDependencies } from './dependencies.js';
import { recordEvent } from './record-event.js';

export interface RecordRunningInput extends VirtualMachineJobInput {
  placement: Placement;
  volume: { fileName: string; virtualSizeBytes: number };
}

/** Running, and the job done, in one transaction; only for the try that holds the VM's current token. */
export const recordRunning =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, placement, volume }: RecordRunningInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [vm] = await tx
        .update(vmInstance)
        .set({ state: 'Running', hostId: placement.hostId, lastHostId: placement.hostId, errorText: null })
        .where(
          and(
            eq(vmInstance.id, vmId),
            inArray(vmInstance.state, ['Starting', 'Running']),
            eq(vmInstance.fenceToken, placement.token),
          ),
        )
        .returning();
      if (!vm) throw new SlipwayError('SLIPWAY_FENCED', `Another operation has taken over VM ${vmId}`);
      await tx
        .update(volumes)
        .set({
          state: 'Ready',
          poolId: placement.poolId,
          token: placement.token,
          path: volume.fileName,
          sizeBytes: volume.virtualSizeBytes,
        })
        .where(eq(volumes.id, placement.volumeId));
      await completeJob(tx, jobId, { status: 'succeeded', resultCode: 0, result: {} });
      await recordEvent(tx, {
        type: 'VM.CREATE',
        level: 'INFO',
        description: `VM ${vm.name} is running on host ${placement.hostName}`,
        accountId: vm.accountId,
        resourceType: 'VirtualMachine',
        resourceId: vmId,
      });
    });

export interface RecordFailureInput extends VirtualMachineJobInput {
  failure: Failure;
  isCancelled: boolean;
}

/** The VM is in Error with its reason, and the job has ended with the same. */
export const recordDeploymentFailed =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, failure, isCancelled }: RecordFailureInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [vm] = await tx
        .update(vmInstance)
        .set({ state: 'Error', hostId: null, errorText: failure.message })
        .where(and(eq(vmInstance.id, vmId), inArray(vmInstance.state, ['Starting', 'Error'])))
        .returning();
      await completeJob(tx, jobId, failedOutcome(failure, isCancelled));
      if (!vm) return;
      await recordEvent(tx, {
        type: 'VM.CREATE',
        level: 'ERROR',
        description: failure.message,
        accountId: vm.accountId,
        resourceType: 'VirtualMachine',
        resourceId: vmId,
      });
    });

export function failedOutcome({ code, message }: Failure, isCancelled: boolean): JobOutcome {
  const { errorcode } = ERRORS[code];
  return {
    status: isCancelled ? 'cancelled' : 'failed',
    resultCode: errorcode,
    result: { errorcode, errortext: message, slipwaycode: code },
  };
}

/** What the try held is free again: its host has undone everything. */
export const releaseClaim =
  ({ db }: ControlDependencies) =>
  async ({ vmId, token }: Pick<Placement, 'vmId' | 'token'>): Promise<void> =>
    db.transaction((tx) => releaseCapacity(tx, vmId, token));

/** The host did not answer to the undo: it pays before it is Up again, and the capacity stays claimed until then. */
export const oweCleanup =
  ({ db }: ControlDependencies) =>
  async ({ placement, reason }: { placement: Placement; reason: string }): Promise<void> => {
    const { vmId, token, hostId } = placement;
    await db.insert(cleanupDebt).values({ vmId, token, hostId, reason }).onConflictDoNothing();
  };
