import { and, eq, isNull } from 'drizzle-orm';
import type { JobRow } from '../../../db/jobs.js';
import { storagePool } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { PoolJobInput } from '../../../shared/pools.js';
import type { Transaction } from '../dependencies.js';
import { recordEvent } from '../record-event.js';
import { runningJob } from '../running-job.js';

type PoolRow = typeof storagePool.$inferSelect;

/**
 * The pool, locked, with the job that works on it; undefined when that has ended. Whoever is about to put something
 * there is waited for: a row that refers to the pool holds it.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it was removed
 */
export async function lockPoolOfJob(
  tx: Transaction,
  { poolId, jobId }: PoolJobInput,
): Promise<{ self: PoolRow; job: JobRow } | undefined> {
  const job = await runningJob(tx, jobId);
  if (!job) return undefined;
  const isPresent = and(eq(storagePool.id, poolId), isNull(storagePool.removed));
  const [self] = await tx.select().from(storagePool).where(isPresent).for('update');
  if (self) return { self, job };
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Pool ${poolId} was removed`);
}

export interface PoolEvent {
  type: 'MAINT.PREPARE.PS' | 'MAINT.CANCEL.PS';
  level: 'INFO' | 'ERROR';
  description: string;
}

export const recordPoolEvent = (
  tx: Transaction,
  { id, accountId }: Pick<JobRow, 'id' | 'accountId'>,
  poolId: string,
  event: PoolEvent,
): Promise<void> =>
  recordEvent(tx, { ...event, accountId, jobId: id, resourceType: 'StoragePool', resourceId: poolId });
