import { and, eq, gte, not } from 'drizzle-orm';
import { holdsCompute, isOwed } from '../../../db/claim-sql.js';
import type { JobRow } from '../../../db/jobs.js';
import { capacityClaim, event, host, vmInstance } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { HostJobInput } from '../../../shared/hosts.js';
import type { Transaction } from '../dependencies.js';
import { runningJob } from '../running-job.js';

type HostRow = typeof host.$inferSelect;

/** @throws SlipwayError SLIPWAY_RESOURCE_STATE when it was removed */
export async function lockHost(tx: Transaction, hostId: string): Promise<HostRow> {
  const [row] = await tx.select().from(host).where(eq(host.id, hostId)).for('no key update');
  if (row?.removed === null) return row;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Host ${row?.name ?? hostId} was removed`);
}

/** The host, locked, with the job that works on it; undefined when that has ended. */
export async function lockHostOfJob(
  tx: Transaction,
  { hostId, jobId }: HostJobInput,
): Promise<{ self: HostRow; job: JobRow } | undefined> {
  const job = await runningJob(tx, jobId);
  return job && { self: await lockHost(tx, hostId), job };
}

/**
 * Whether a job has said before that it works on its host: in a try of the activity whose answer was lost, or before its
 * workflow was terminated and the job taken up again. Where the host is not what the job had made it, an operator has
 * taken that back.
 *
 * @param type of the event that each job records as it begins
 */
export async function hasBegun(tx: Transaction, self: HostRow, job: JobRow, type: string): Promise<boolean> {
  const isOfJob = and(eq(event.resourceId, self.id), eq(event.type, type), eq(event.jobId, job.id));
  // An earlier job had the same id, if that is a `customjobid` which is used again.
  return (await tx.$count(event, and(isOfJob, gte(event.created, job.created)))) > 0;
}

/** VMs that may run on the host, one that is about to included; with `isOwedToo` also one that it has yet to end. */
export function computingOn(tx: Transaction, hostId: string, { isOwedToo = true } = {}) {
  return tx
    .selectDistinct({ id: vmInstance.id, name: vmInstance.name, state: vmInstance.state, hostId: vmInstance.hostId })
    .from(capacityClaim)
    .innerJoin(vmInstance, eq(vmInstance.id, capacityClaim.vmId))
    .where(and(eq(capacityClaim.hostId, hostId), holdsCompute, isOwedToo ? undefined : not(isOwed(tx))))
    .orderBy(vmInstance.name);
}
