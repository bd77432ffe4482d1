import { and, desc, eq, not, sql } from 'drizzle-orm';
import { isOwed } from '../../../db/claim-sql.js';
import { capacityClaim, cleanupDebt, volumes } from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { Transaction } from '../dependencies.js';

type Volume = typeof volumes.$inferSelect;

/**
 * One root disk of a VM takes the place of another. What each counts for on the pool goes with it: that of the VM's disk
 * stands in its claim. The row of the VM is locked by the caller.
 */
export async function swapDisks(tx: Transaction, from: Volume, to: Volume): Promise<void> {
  const vmId = from.instanceId!;
  const losesDisk = isOwed(tx, eq(cleanupDebt.keepsDisk, false));
  const [claim] = await tx
    .select()
    .from(capacityClaim)
    .where(and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.poolId, to.poolId!), not(losesDisk)))
    // Of hosts that it ran on earlier there are claims too, with no disk.
    .orderBy(desc(capacityClaim.diskBytes), desc(capacityClaim.token))
    .limit(1)
    .for('update');
  if (!claim) throw new SlipwayError('SLIPWAY_INTERNAL', `VM ${vmId} holds no space of any pool`);
  await tx
    .update(capacityClaim)
    .set({ diskBytes: to.reservedBytes })
    .where(and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, claim.token)));
  // A VM has one root disk at any time: the old one first.
  await tx
    .update(volumes)
    .set({ removed: sql`now()`, reservedBytes: claim.diskBytes, replacedById: to.id })
    .where(eq(volumes.id, from.id));
  await tx.update(volumes).set({ removed: null, reservedBytes: 0, replacedById: null }).where(eq(volumes.id, to.id));
}
