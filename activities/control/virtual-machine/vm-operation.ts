import { and, desc, eq, isNull, or } from 'drizzle-orm';
import { holdsCompute, isOwed } from '../../../db/claim-sql.js';
import { completeJob } from '../../../db/jobs.js';
import { hasNoDisk } from '../../../db/take-for-first-start.js';
import { asyncJob, capacityClaim, host, JOB_STATUS, vmInstance, volumes } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Failure } from '../../../shared/failures.js';
import type { Placement, VirtualMachineJobInput } from '../../../shared/virtual-machines.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { failedOutcome } from '../job-outcomes.js';
import { recordEvent, type Told, toldOf } from '../record-event.js';

type Vm = typeof vmInstance.$inferSelect;

/** The VM, locked; undefined when the job has ended: somebody started its workflow once too often. */
export async function lockVm(tx: Transaction, { vmId, jobId }: VirtualMachineJobInput): Promise<Vm | undefined> {
  const [row] = await tx
    .select({ vm: vmInstance, jobStatus: asyncJob.jobStatus })
    .from(vmInstance)
    .innerJoin(asyncJob, eq(asyncJob.id, jobId))
    .where(eq(vmInstance.id, vmId))
    .for('update', { of: vmInstance });
  return row?.jobStatus === JOB_STATUS.inProgress ? row.vm : undefined;
}

/**
 * What the tries of a VM hold, the latest first: with `isComputing` where a domain may run, otherwise also where there is
 * a disk or a console log only. With `ofEveryDisk` one that its host has yet to undo is there once more for every disk that
 * another one took the place of: it may have made a file of that disk. Other files of such disks are removed with them.
 */
export async function placementsOf(
  tx: Transaction,
  vmId: string,
  { isComputing = false, ofEveryDisk = false } = {},
): Promise<Placement[]> {
  const rows = await tx
    .select({
      vmId: capacityClaim.vmId,
      hostId: capacityClaim.hostId,
      hostName: host.name,
      hostStatus: host.status,
      poolId: capacityClaim.poolId,
      volumeId: volumes.id,
      token: capacityClaim.token,
    })
    .from(capacityClaim)
    .innerJoin(host, eq(host.id, capacityClaim.hostId))
    .innerJoin(
      volumes,
      and(
        eq(volumes.instanceId, capacityClaim.vmId),
        eq(volumes.volumeType, 'ROOT'),
        or(isNull(volumes.removed), ofEveryDisk ? isOwed(tx) : undefined),
      ),
    )
    .where(and(eq(capacityClaim.vmId, vmId), isComputing ? holdsCompute : undefined))
    .orderBy(desc(capacityClaim.token));
  return rows.map(({ hostStatus, ...placement }) =>
    hostStatus === 'Revoked' ? { ...placement, isRevoked: true } : placement,
  );
}

/**
 * Where the domain of a Running VM is.
 *
 * @throws SlipwayError SLIPWAY_HOST_REVOKED when nobody is to ask anything of that host
 */
export async function runningPlacement(tx: Transaction, vm: Vm): Promise<Placement> {
  const placement = (await placementsOf(tx, vm.id)).find(({ token }) => token === vm.fenceToken);
  if (placement?.isRevoked) {
    throw new SlipwayError(
      'SLIPWAY_HOST_REVOKED',
      `Host ${placement.hostName} was revoked: nothing is asked of it. When the machine is off, declare it as Degraded`,
    );
  }
  if (placement) return placement;
  throw new SlipwayError('SLIPWAY_INTERNAL', `VM ${vm.name} is ${vm.state} and holds no capacity of any host`);
}

export const wrongState = ({ name, state }: Vm, wanted: string): SlipwayError =>
  new SlipwayError('SLIPWAY_RESOURCE_STATE', `VM ${name} is ${state}, and only a ${wanted} one can do that`);

type VmOperation = 'CREATE' | 'DESTROY' | 'EXPUNGE' | OngoingOperation;

/** What works on a VM that is there before and after. */
export type OngoingOperation = 'START' | 'STOP' | 'REBOOT' | 'RESTORE' | 'ISO.ATTACH' | 'ISO.DETACH';

export const recordVmEvent = (
  tx: Transaction,
  vm: Pick<Vm, 'id' | 'accountId'>,
  operation: VmOperation,
  level: 'INFO' | 'WARN' | 'ERROR',
  told: string | Told,
  jobId?: string,
): Promise<void> =>
  recordEvent(tx, {
    type: operation.startsWith('ISO.') ? operation : `VM.${operation}`,
    level,
    ...(typeof told === 'string' ? { description: told } : told),
    accountId: vm.accountId,
    jobId,
    resourceType: 'VirtualMachine',
    resourceId: vm.id,
  });

export interface RecordOperationFailedInput extends VirtualMachineJobInput {
  operation: OngoingOperation;
  failure: Failure;
  isCancelled: boolean;
  /** What its host says. Without it a start is taken for undone, and a stop for not done. */
  truth?: { runsOn: string | null };
}

/** The VM is in the state that it really is in, and the job has ended with the reason. */
export const recordOperationFailed =
  ({ db }: ControlDependencies) =>
  async ({ vmId, jobId, operation, failure, isCancelled, truth }: RecordOperationFailedInput): Promise<void> =>
    db.transaction(async (tx) => {
      const [vm] = await tx.select().from(vmInstance).where(eq(vmInstance.id, vmId)).for('update');
      // It has an outcome already: this came twice, or too late, and must not change the VM.
      if (!(await completeJob(tx, jobId, failedOutcome(failure, isCancelled))) || !vm) return;
      if (vm.state === 'Starting' || vm.state === 'Stopping') {
        const hostId = truth ? truth.runsOn : vm.state === 'Stopping' ? vm.hostId : null;
        await tx
          .update(vmInstance)
          .set({ state: hostId ? 'Running' : 'Stopped', hostId })
          .where(eq(vmInstance.id, vmId));
        // The next start may be on another pool, and nothing is to keep the copy of the ISO on this one.
        if (!hostId)
          await tx
            .update(vmInstance)
            .set({ isoSpoolRefId: null })
            .where(and(eq(vmInstance.id, vmId), hasNoDisk(tx)));
      }
      await recordVmEvent(tx, vm, operation, 'ERROR', toldOf(failure), jobId);
    });
