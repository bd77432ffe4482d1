import { and, eq, inArray, isNotNull, lt, ne, not, notExists, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { hasRunningJob } from './job-sql.js';
import {
  asyncJob,
  capacityClaim,
  cleanupDebt,
  event,
  JOB_STATUS,
  nics,
  templateSpoolRef,
  vmInstance,
  vmTemplate,
  volumes,
} from './schema/index.js';

/** Rows of one transaction: what else uses the database waits for no more than these. */
const BATCH = 1000;

/** Removes one batch. @returns how many rows there were to remove */
type Purge = (db: Database, olderThan: SQL) => Promise<number>;

/**
 * Removes all that is older, a batch at a time. Several may do so at once: each takes rows that no other has locked.
 *
 * @param olderThan an instant, in SQL
 */
async function purgeAll(db: Database, olderThan: SQL, purge: Purge): Promise<void> {
  while ((await purge(db, olderThan)) >= BATCH);
}

export const purgeEvents = (db: Database, days: number): Promise<void> => purgeAll(db, daysAgo(days), purgeEventBatch);

/** Never one that runs. Its id, which may be a caller's `customjobid`, may be used again then. */
export const purgeJobs = (db: Database, minutes: number): Promise<void> =>
  purgeAll(db, sql`now() - make_interval(mins => ${minutes})`, purgeJobBatch);

/** Expunged VMs with their disks and NICs, disks that were replaced, and deleted templates that nothing refers to. */
export async function purgeRemoved(db: Database, days: number): Promise<void> {
  const olderThan = daysAgo(days);
  for (const purge of [purgeVmBatch, purgeVolumeBatch, purgeTemplateBatch]) await purgeAll(db, olderThan, purge);
}

const daysAgo = (days: number): SQL => sql`now() - make_interval(days => ${days})`;

const idsOf = (rows: { id: string }[]): string[] => rows.map(({ id }) => id);
const one = { one: sql`1` };
const SKIPPED = { skipLocked: true } as const;

const purgeEventBatch: Purge = async (db, olderThan) => {
  const old = db
    .select({ id: event.id })
    .from(event)
    .where(lt(event.created, olderThan))
    .limit(BATCH)
    .for('update', SKIPPED);
  return (await db.delete(event).where(inArray(event.id, old)).returning({ id: event.id })).length;
};

const purgeJobBatch: Purge = async (db, olderThan) => {
  const old = db
    .select({ id: asyncJob.id })
    .from(asyncJob)
    .where(and(ne(asyncJob.jobStatus, JOB_STATUS.inProgress), lt(asyncJob.completed, olderThan)))
    .limit(BATCH)
    .for('update', SKIPPED);
  return (await db.delete(asyncJob).where(inArray(asyncJob.id, old)).returning({ id: asyncJob.id })).length;
};

/** A VM that a host still owes something for is kept, and one with a disk that is still to be removed. */
const purgeVmBatch: Purge = (db, olderThan) =>
  db.transaction(async (tx) => {
    const holds = [
      tx.select(one).from(capacityClaim).where(eq(capacityClaim.vmId, vmInstance.id)),
      tx.select(one).from(cleanupDebt).where(eq(cleanupDebt.vmId, vmInstance.id)),
      tx
        .select(one)
        .from(volumes)
        .where(and(eq(volumes.instanceId, vmInstance.id), ne(volumes.state, 'Expunged'))),
    ];
    const ids = idsOf(
      await tx
        .select({ id: vmInstance.id })
        .from(vmInstance)
        .where(
          and(
            eq(vmInstance.state, 'Expunged'),
            lt(vmInstance.removed, olderThan),
            ...holds.map((held) => notExists(held)),
            not(hasRunningJob(tx, vmInstance.id)),
          ),
        )
        .limit(BATCH)
        .for('update', SKIPPED),
    );
    if (ids.length === 0) return 0;
    await tx.delete(nics).where(inArray(nics.instanceId, ids));
    await tx.delete(volumes).where(inArray(volumes.instanceId, ids));
    await tx.delete(vmInstance).where(inArray(vmInstance.id, ids));
    return ids.length;
  });

/** Disks that a VM which lives on no longer has. */
const purgeVolumeBatch: Purge = async (db, olderThan) => {
  const old = db
    .select({ id: volumes.id })
    .from(volumes)
    .where(and(eq(volumes.state, 'Expunged'), isNotNull(volumes.removed), lt(volumes.removed, olderThan)))
    .limit(BATCH)
    .for('update', SKIPPED);
  return (await db.delete(volumes).where(inArray(volumes.id, old)).returning({ id: volumes.id })).length;
};

/** Its rows of zones and its details go with it. */
const purgeTemplateBatch: Purge = (db, olderThan) =>
  db.transaction(async (tx) => {
    const referring = [
      tx.select(one).from(templateSpoolRef).where(eq(templateSpoolRef.templateId, vmTemplate.id)),
      tx.select(one).from(volumes).where(eq(volumes.templateId, vmTemplate.id)),
      tx
        .select(one)
        .from(vmInstance)
        .where(or(eq(vmInstance.templateId, vmTemplate.id), eq(vmInstance.isoId, vmTemplate.id))),
    ];
    const ids = idsOf(
      await tx
        .select({ id: vmTemplate.id })
        .from(vmTemplate)
        .where(and(lt(vmTemplate.removed, olderThan), ...referring.map((rows) => notExists(rows))))
        .limit(BATCH)
        .for('update', SKIPPED),
    );
    if (ids.length > 0) await tx.delete(vmTemplate).where(inArray(vmTemplate.id, ids));
    return ids.length;
  });
