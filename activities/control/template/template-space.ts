import { and, eq, inArray, sql } from 'drizzle-orm';
import { storagePool, templateSpoolRef } from '../../../db/schema/index.js';
import type { Transaction } from '../dependencies.js';
import type { PoolRules } from '../planner/pool-space.js';

/**
 * The space that copies of templates take on a pool: `reserved_bytes` of each, and their sum in the pool's row. Both
 * change in one transaction and here only.
 */

/**
 * Counts a copy that is about to be downloaded with the size expected of it, when that still fits: of two downloads that
 * see the same free space, only as many begin as fit.
 *
 * @returns false when it does not fit; then nothing is changed
 */
export async function reserveForCopy(
  tx: Transaction,
  copy: { id: string; poolId: string },
  { expectedBytes, rules }: { expectedBytes: number; rules: PoolRules },
): Promise<boolean> {
  const fits = await tx
    .update(storagePool)
    .set({ templateBytes: sql`${storagePool.templateBytes} + ${expectedBytes}` })
    .where(
      and(
        eq(storagePool.id, copy.poolId),
        sql`${storagePool.usedBytes} + ${expectedBytes} <= ${storagePool.capacityBytes} * ${rules.mostUsed}::float8`,
        sql`${storagePool.templateBytes} + ${storagePool.allocatedBytes} / ${rules.factor}::float8 + ${expectedBytes}
          <= ${storagePool.capacityBytes} * ${rules.mostAllocated}::float8`,
      ),
    )
    .returning({ id: storagePool.id });
  if (fits.length === 0) return false;
  await tx.update(templateSpoolRef).set({ reservedBytes: expectedBytes }).where(eq(templateSpoolRef.id, copy.id));
  return true;
}

/** Counts an installed copy with what it takes. Its row is locked by the caller; doing it twice changes nothing. */
export async function settleCopy(tx: Transaction, spoolRefId: string, takenBytes: number): Promise<void> {
  const [copy] = await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, spoolRefId)).for('update');
  if (!copy) return;
  await tx.update(templateSpoolRef).set({ reservedBytes: takenBytes }).where(eq(templateSpoolRef.id, spoolRefId));
  await addTemplateBytes(tx, copy.poolId, takenBytes - copy.reservedBytes);
}

/** Forgets a copy that never became Ready, and gives its space back. */
export async function forgetCopy(tx: Transaction, spoolRefId: string): Promise<void> {
  const [copy] = await tx
    .delete(templateSpoolRef)
    .where(and(eq(templateSpoolRef.id, spoolRefId), inArray(templateSpoolRef.state, ['Allocated', 'Downloading'])))
    .returning();
  if (copy) await addTemplateBytes(tx, copy.poolId, -copy.reservedBytes);
}

/** Forgets a copy whose file was removed, and gives its space back. Its row is locked by the caller. */
export async function forgetEvictedCopy(tx: Transaction, copy: typeof templateSpoolRef.$inferSelect): Promise<void> {
  await tx.delete(templateSpoolRef).where(eq(templateSpoolRef.id, copy.id));
  await addTemplateBytes(tx, copy.poolId, -copy.reservedBytes);
}

const addTemplateBytes = (tx: Transaction, poolId: string, bytes: number): Promise<unknown> =>
  tx
    .update(storagePool)
    .set({ templateBytes: sql`${storagePool.templateBytes} + ${bytes}` })
    .where(eq(storagePool.id, poolId));
