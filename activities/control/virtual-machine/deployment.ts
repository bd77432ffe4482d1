import { and, eq, inArray, sql } from 'drizzle-orm';
import { completeJob } from '../../../db/jobs.js';
import { capacityClaim, cleanupDebt, host, vmInstance, volumes } from '../../../db/schema/index.js';
import { boundedText } from '../../../shared/bounded-text.js';
import { SlipwayError } from '../../../shared/errors.js';
import { describeHostFailures, type Failure, type HostFailure } from '../../../shared/failures.js';
import type { Debt, Placement, VirtualMachineJobInput } from '../../../shared/virtual-machines.js';
import { ignored, isRevoked } from '../host/is-revoked.js';
import { releaseCapacity, releaseCompute } from './capacity.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { failedOutcome, SUCCEEDED } from '../job-outcomes.js';
import { toldOf } from '../record-event.js';
import { runningJob } from '../running-job.js';
import { lockVm, recordVmEvent } from './vm-operation.js';

export interface RecordRunningInput extends VirtualMachineJobInput {
  placement: Placement;
  volume: { fileName: string; virtualSizeBytes: number };
  /** Of the hosts that were tried before. */
  failures?: HostFailure[];
  /** `CREATE` when absent. */
  operation?: 'CREATE' | 'START';
}

/** Running, and the job done, in one transaction; only for the try that holds the VM's current token. */
export const recordRunning =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, placement, volume, failures = [], operation = 'CREATE' }: RecordRunningInput): Promise<void> =>
    db.transaction(async (tx) => {
      const vm = await setRunning(tx, { vmId, placement, volume });
      if (!vm || vm.isHostRevoked) {
        // Recorded before, and the answer was lost: the VM may be anything by now.
        if (!(await runningJob(tx, jobId))) return;
        if (vm) throw ignored(placement.hostName);
        throw new SlipwayError('SLIPWAY_FENCED', `Another operation has taken over VM ${vmId}`);
      }
      if (!(await completeJob(tx, jobId, SUCCEEDED))) return;
      const text = `VM ${vm.name} is running on host ${placement.hostName}`;
      const ownerDescription = `VM ${vm.name} is running`;
      // It has succeeded: nobody would ever hear what is wrong with those hosts.
      const [level, description] =
        failures.length === 0
          ? (['INFO', text] as const)
          : (['WARN', `${text}. Tried before:\n${describeHostFailures(failures)}`] as const);
      await recordVmEvent(tx, vm, operation, level, { description, ownerDescription }, jobId);
    });

interface RunningVm extends Record<string, unknown> {
  id: string;
  name: string;
  accountId: string;
  isHostRevoked: boolean;
}

/** The VM and its disk in one statement; undefined for a try that does not hold the VM's token any more. */
async function setRunning(
  tx: Transaction,
  { vmId, placement, volume }: Pick<RecordRunningInput, 'vmId' | 'placement' | 'volume'>,
): Promise<RunningVm | undefined> {
  const { hostId, poolId, volumeId, token } = placement;
  const [vm] = await tx.execute<RunningVm>(sql`
    with vm as (
      update ${vmInstance}
      set state = 'Running', host_id = ${hostId}, last_host_id = ${hostId}, error_text = null, error_owner_text = null
      where id = ${vmId} and state in ('Starting', 'Running') and fence_token = ${token}
      returning id, name, account_id
    ), disk as (
      update ${volumes}
      set state = 'Ready', pool_id = ${poolId}, token = ${token}, path = ${volume.fileName},
        size_bytes = ${volume.virtualSizeBytes}
      where id = ${volumeId} and exists (select from vm)
    )
    select id, name, account_id as "accountId", ${isRevoked(tx, hostId)} as "isHostRevoked" from vm`);
  return vm;
}

export interface RecordFailureInput extends VirtualMachineJobInput {
  failure: Failure;
  isCancelled: boolean;
}

/** The VM is in Error with its reason, and the job has ended with the same. */
export const recordDeploymentFailed =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, failure, isCancelled }: RecordFailureInput): Promise<void> =>
    db.transaction(async (tx) => {
      await tx.select().from(vmInstance).where(eq(vmInstance.id, vmId)).for('update');
      // It has an outcome already: this came twice, or too late, and must not change the VM.
      if (!(await completeJob(tx, jobId, failedOutcome(failure, isCancelled)))) return;
      const told = toldOf(failure);
      const [vm] = await tx
        .update(vmInstance)
        .set({
          state: 'Error',
          ended: sql`now()`,
          hostId: null,
          errorText: told.description,
          errorOwnerText: told.ownerDescription,
          isoSpoolRefId: null,
        })
        .where(and(eq(vmInstance.id, vmId), inArray(vmInstance.state, ['Starting', 'Error'])))
        .returning();
      if (vm) await recordVmEvent(tx, vm, 'CREATE', 'ERROR', told, jobId);
    });

/**
 * Whether a try that has failed is to be undone by who made it. When its job has ended, or somebody else has taken the VM
 * over, it is not: an operator has reset a workflow whose VM lives on, and the undo would remove its disk.
 */
export const isToUndo =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, token }: VirtualMachineJobInput & Pick<Placement, 'token'>): Promise<boolean> =>
    db.transaction(async (tx) => (await lockVm(tx, { vmId, jobId }))?.fenceToken === token);

/**
 * What the try held is free again: its host has undone everything, or all but the disk.
 *
 * @throws SlipwayError SLIPWAY_HOST_REVOKED: the domain may run on, whatever was answered
 */
export const releaseClaim =
  ({ db }: ControlDependencies) =>
  async ({ vmId, token, keepsDisk }: Pick<Debt, 'vmId' | 'token' | 'keepsDisk'>): Promise<void> =>
    db.transaction(async (tx) => {
      const isTry = and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, token));
      const [debtor] = await tx
        .select({ name: host.name })
        .from(capacityClaim)
        .innerJoin(host, eq(host.id, capacityClaim.hostId))
        .where(and(isTry, eq(host.status, 'Revoked')));
      if (debtor) throw ignored(debtor.name);
      await (keepsDisk ? releaseCompute : releaseCapacity)(tx, vmId, token);
    });

export interface OweCleanupInput {
  debt: Pick<Debt, 'vmId' | 'token' | 'keepsDisk'>;
  reason: string;
}

/** Characters: it may come from the host, and one that no database takes would be tried to be recorded for ever. */
const LONGEST_REASON = 1_000;

/** The host did not answer to the undo: it pays before it is Up again, and the capacity stays claimed until then. */
export const oweCleanup =
  ({ db }: ControlDependencies) =>
  async ({ debt, reason }: OweCleanupInput): Promise<void> =>
    db.transaction(async (tx) => {
      const { vmId, token, keepsDisk } = debt;
      const isTry = and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, token));
      const [claim] = await tx.select().from(capacityClaim).where(isTry).for('update');
      // Paid in the meantime: a debt without a claim would be nobody's, for ever.
      if (!claim) return;
      await tx
        .insert(cleanupDebt)
        // Of whoever holds the claim now: the host that was asked may have been removed since, and would never pay.
        .values({ vmId, token, hostId: claim.hostId, reason: boundedText(reason, LONGEST_REASON), keepsDisk })
        .onConflictDoUpdate({
          target: [cleanupDebt.vmId, cleanupDebt.token],
          // An expunge after a destroy takes the disk too; a destroy after a failed try does not give it back.
          set: { keepsDisk: sql`${cleanupDebt.keepsDisk} and ${keepsDisk}` },
        });
    });
