import { and, eq, inArray, notExists, sql } from 'drizzle-orm';
import { startJob } from '../../../client/start-job.js';
import { holdsCompute } from '../../../db/claim-sql.js';
import { MAINTENANCE_STATES } from '../../../db/hosts.js';
import { completeJob, type JobRow } from '../../../db/jobs.js';
import { asyncJob, capacityClaim, host } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Failure } from '../../../shared/failures.js';
import type { HostJobInput, PrepareHostForMaintenanceInput } from '../../../shared/hosts.js';
import { createStopJob, jobsOf, TRIES_TO_STOP } from '../virtual-machine/stop-jobs.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { failedOutcome } from '../job-outcomes.js';
import { computingOn, hasBegun, lockHostOfJob } from './lock-host.js';
import { recordEvent } from '../record-event.js';

const DRAINING = ['PrepareForMaintenance', 'ErrorInMaintenance'] as const;

/**
 * The host takes no new work from now on.
 *
 * @returns false when the job has ended: somebody started this workflow once too often
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when the host is Degraded, or was removed; SLIPWAY_CANCELLED when the
 *   maintenance was called off since this job has begun it
 */
export const beginMaintenance =
  ({ db }: ControlDependencies) =>
  async (input: PrepareHostForMaintenanceInput): Promise<boolean> =>
    db.transaction(async (tx) => {
      const locked = await lockHostOfJob(tx, input);
      if (!locked) return false;
      const { self, job } = locked;
      if (self.resourceState === 'Degraded') {
        throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Host ${self.name} is Degraded: nothing runs there`);
      }
      if (await hasBegun(tx, self, job, 'MAINT.PREPARE')) {
        if (MAINTENANCE_STATES.includes(self.resourceState)) return true;
        throw new SlipwayError('SLIPWAY_CANCELLED', 'The maintenance was called off, and the host takes work again');
      }
      if (self.resourceState !== 'Maintenance') {
        await tx.update(host).set({ resourceState: 'PrepareForMaintenance' }).where(eq(host.id, self.id));
      }
      // Also where another job has prepared it before: by this it is known that this one has begun.
      await recordEvent(tx, {
        type: 'MAINT.PREPARE',
        level: 'INFO',
        description: `Host ${self.name} takes no new virtual machines`,
        accountId: job.accountId,
        jobId: job.id,
        resourceType: 'Host',
        resourceId: self.id,
      });
      return true;
    });

export interface DrainedHost {
  /** `called off` by cancelHostMaintenance; `stuck` when what is left could not be stopped. */
  outcome: 'maintenance' | 'draining' | 'stuck' | 'called off';
  hostName: string;
  /** VMs that may still run there. */
  left: { id: string; name: string; state: string }[];
}

/** Stops what runs on the host, each VM by a job of its own, when that was asked for; and says what is left. */
export const drainHost =
  (dependencies: ControlDependencies) =>
  async (input: PrepareHostForMaintenanceInput): Promise<DrainedHost> => {
    const jobs: JobRow[] = [];
    const drained = await dependencies.db.transaction(async (tx): Promise<DrainedHost> => {
      const locked = await lockHostOfJob(tx, input);
      if (!locked) return { outcome: 'called off', hostName: '', left: [] };
      const { self, job } = locked;
      const { id: hostId, name: hostName, resourceState } = self;
      const isDraining = DRAINING.some((state) => state === resourceState);
      if (!isDraining)
        return { outcome: resourceState === 'Maintenance' ? 'maintenance' : 'called off', hostName, left: [] };
      const found = await computingOn(tx, hostId);
      const left = found.map(({ id, name, state }) => ({ id, name, state }));
      if (await finishMaintenance(tx, hostId)) return { outcome: 'maintenance', hostName, left };
      if (!input.stopsVirtualMachines) return { outcome: 'draining', hostName, left };
      let isBusy = false;
      for (const vm of found) {
        const { running, stops } = await jobsOf(tx, vm.id, job.created);
        if (running > 0) isBusy = true;
        else if (vm.state === 'Running' && vm.hostId === hostId && stops < TRIES_TO_STOP) {
          const stop = await createStopJob(tx, vm.id, job, stops);
          if (stop) jobs.push(stop);
          else isBusy = true;
        }
      }
      return { outcome: isBusy || jobs.length > 0 ? 'draining' : 'stuck', hostName, left };
    });
    // What cannot be started now is started by the sweeper.
    await Promise.all(jobs.map((job) => startJob(dependencies, job)));
    return drained;
  };

/**
 * Maintenance, for each host that was prepared for it and that nothing may run on any more.
 *
 * @param hostId that one only
 */
export async function finishMaintenance(tx: Transaction, hostId?: string): Promise<boolean> {
  const claims = tx
    .select({ one: sql`1` })
    .from(capacityClaim)
    .where(and(eq(capacityClaim.hostId, host.id), holdsCompute));
  const finished = await tx
    .update(host)
    .set({ resourceState: 'Maintenance' })
    .where(and(inArray(host.resourceState, DRAINING), hostId ? eq(host.id, hostId) : undefined, notExists(claims)))
    .returning();
  for (const { id, name } of finished) {
    await recordEvent(tx, {
      type: 'MAINT.PREPARE',
      level: 'INFO',
      description: `Host ${name} is in maintenance: nothing runs there any more`,
      resourceType: 'Host',
      resourceId: id,
    });
  }
  return finished.length > 0;
}

export interface RecordHostJobInput extends HostJobInput {
  /** What the job has to tell beside the host. */
  result: Record<string, unknown>;
}

export const recordHostJobDone =
  ({ db }: ControlDependencies) =>
  async ({ jobId, result }: RecordHostJobInput): Promise<void> =>
    void (await completeJob(db, jobId, { status: 'succeeded', resultCode: 0, result }));

export interface RecordHostJobFailedInput extends HostJobInput {
  failure: Failure;
  isCancelled: boolean;
}

/** The job has ended with the reason. What was to be maintained and could not be drained shows it. */
export const recordHostJobFailed =
  ({ db }: ControlDependencies) =>
  async ({ hostId, jobId, failure, isCancelled }: RecordHostJobFailedInput): Promise<void> =>
    db.transaction(async (tx) => {
      if (!(await completeJob(tx, jobId, failedOutcome(failure, isCancelled)))) return;
      const [job] = await tx.select().from(asyncJob).where(eq(asyncJob.id, jobId));
      const isDeclaration = job!.jobCmd === 'declareHostAsDegraded';
      // A declaration that was refused leaves the host as it was prepared by another job.
      if (!isDeclaration) {
        await tx
          .update(host)
          .set({ resourceState: 'ErrorInMaintenance' })
          .where(and(eq(host.id, hostId), eq(host.resourceState, 'PrepareForMaintenance')));
      }
      await recordEvent(tx, {
        type: isDeclaration ? 'HOST.DECLARE.DEGRADED' : 'MAINT.PREPARE',
        level: 'ERROR',
        description: failure.message,
        accountId: job!.accountId,
        jobId,
        resourceType: 'Host',
        resourceId: hostId,
      });
    });
