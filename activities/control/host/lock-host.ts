import { and, eq, not } from 'drizzle-orm';
import { holdsCompute, isOwed } from '../../../db/claim-sql.js';
import type { JobRow } from '../../../db/jobs.js';
import { capacityClaim, host, vmInstance } from '../../../db/schema/index.js';
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

/** VMs that may run on the host, one that is about to included; with `isOwedToo` also one that it has yet to end. */
export function computingOn(tx: Transaction, hostId: string, { isOwedToo = true } = {}) {
  return tx
    .selectDistinct({ id: vmInstance.id, name: vmInstance.name, state: vmInstance.state, hostId: vmInstance.hostId })
    .from(capacityClaim)
    .innerJoin(vmInstance, eq(vmInstance.id, capacityClaim.vmId))
    .where(and(eq(capacityClaim.hostId, hostId), holdsCompute, isOwedToo ? undefined : not(isOwed(tx))))
    .orderBy(vmInstance.name);
}
