import { and, eq, inArray, isNull, not, sql, TransactionRollbackError } from 'drizzle-orm';
import { isOwed } from '../../../db/claim-sql.js';
import { isOpen } from '../../../db/pool-sql.js';
import { capacityClaim, cleanupDebt, host, storagePool, vmInstance, volumes } from '../../../db/schema/index.js';
import type { Transaction } from '../dependencies.js';
import type { Factors } from '../planner/factors.js';

export interface NewClaim {
  vmId: string;
  token: number;
  hostId: string;
  poolId: string;
  cpuMhz: number;
  ramBytes: number;
  diskBytes: number;
}

/** What a claim may count on. */
export interface ClaimRules {
  factors: Factors;
  /** Otherwise a host that somebody else is claiming at this moment counts as full. */
  mayWait: boolean;
}

/**
 * Takes capacity from host and pool if it is still there: concurrent deployments read the same free capacity and only
 * as many succeed as fit.
 *
 * @returns false when somebody else was faster; then nothing is changed
 */
export const takeCapacity = (tx: Transaction, claim: NewClaim, rules: ClaimRules): Promise<boolean> =>
  allOrNothing(
    tx,
    async (savepoint) =>
      (await takeCompute(savepoint, claim, rules)) && (await takeSpace(savepoint, claim, rules.factors.storage)),
  );

/**
 * In a savepoint: a host that was waited for and is full by now stays locked until what looked at it is undone. Planners
 * that try hosts in different orders would wait for each other.
 */
async function allOrNothing(tx: Transaction, take: (savepoint: Transaction) => Promise<boolean>): Promise<boolean> {
  try {
    return await tx.transaction(async (savepoint) => (await take(savepoint)) || savepoint.rollback());
  } catch (error) {
    if (error instanceof TransactionRollbackError) return false;
    throw error;
  }
}

async function takeSpace(
  tx: Transaction,
  claim: NewClaim,
  { factor, mostAllocated }: Factors['storage'],
): Promise<boolean> {
  const pools = await tx
    .update(storagePool)
    .set({ allocatedBytes: sql`${storagePool.allocatedBytes} + ${claim.diskBytes}` })
    .where(
      and(
        eq(storagePool.id, claim.poolId),
        eq(storagePool.status, 'Up'),
        sql`${storagePool.allocatedBytes} + ${claim.diskBytes}
          <= (${storagePool.capacityBytes} * ${mostAllocated}::float8 - ${storagePool.templateBytes}) * ${factor}::float8`,
      ),
    )
    .returning({ id: storagePool.id });
  if (pools.length === 0) return false;
  await tx.insert(capacityClaim).values(claim);
  return true;
}

/**
 * Takes CPU and memory from a host, if they are still there, for a VM whose disk exists. The new claim takes the space
 * of the disk over from the one before. That of another host stays, empty: when the VM is expunged, its console log is
 * there too.
 *
 * @returns as `takeCapacity`
 */
export const takeComputeForDisk = (
  tx: Transaction,
  claim: Omit<NewClaim, 'diskBytes'>,
  rules: ClaimRules,
): Promise<boolean> =>
  allOrNothing(tx, async (savepoint) => {
    if (!(await takeCompute(savepoint, claim, rules))) return false;
    await takeDiskOver(savepoint, claim);
    // The pool may have been closed for maintenance since its state was read.
    return isOpen(savepoint, claim.poolId);
  });

async function takeDiskOver(tx: Transaction, claim: Omit<NewClaim, 'diskBytes'>): Promise<void> {
  // What is owed is an undo of another try, which had a disk of its own.
  const isEarlier = and(eq(capacityClaim.vmId, claim.vmId), eq(capacityClaim.poolId, claim.poolId), not(isOwed(tx)));
  const earlier = await tx.select().from(capacityClaim).where(isEarlier).for('update');
  await tx.delete(capacityClaim).where(and(isEarlier, eq(capacityClaim.hostId, claim.hostId)));
  await tx.update(capacityClaim).set({ diskBytes: 0 }).where(isEarlier);
  const diskBytes = earlier.reduce((sum, row) => sum + row.diskBytes, 0);
  await tx.insert(capacityClaim).values({ ...claim, diskBytes });
}

/** By the setting of now: where a factor was lowered, what is promised already stays, and nothing is added. */
async function takeCompute(
  tx: Transaction,
  { hostId, cpuMhz, ramBytes }: Pick<NewClaim, 'hostId' | 'cpuMhz' | 'ramBytes'>,
  { factors, mayWait }: ClaimRules,
): Promise<boolean> {
  const unclaimed = tx
    .select({ id: host.id })
    .from(host)
    .where(eq(host.id, hostId))
    // Not against new rows that refer to the host: they and this would wait for each other.
    .for('no key update', { skipLocked: true });
  const hosts = await tx
    .update(host)
    .set({ cpuUsedMhz: sql`${host.cpuUsedMhz} + ${cpuMhz}`, ramUsedBytes: sql`${host.ramUsedBytes} + ${ramBytes}` })
    .where(
      and(
        mayWait ? eq(host.id, hostId) : inArray(host.id, unclaimed),
        eq(host.status, 'Up'),
        eq(host.resourceState, 'Enabled'),
        sql`${host.cpuUsedMhz} + ${cpuMhz} <= ${host.cpus}::float8 * ${host.speedMhz} * ${factors.cpu}::float8`,
        sql`${host.ramUsedBytes} + ${ramBytes} <= ${host.ramBytes} * ${factors.memory}::float8`,
      ),
    )
    .returning({ id: host.id });
  return hosts.length > 0;
}

/** Gives a try's capacity back and forgets its debt and its volume's place. Doing it twice changes nothing. */
export async function releaseCapacity(tx: Transaction, vmId: string, token: number): Promise<void> {
  const [claim] = await tx
    .delete(capacityClaim)
    .where(and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, token)))
    .returning();
  await tx.delete(cleanupDebt).where(and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.token, token)));
  await tx
    .update(volumes)
    .set({ state: 'Allocated', poolId: null, templateSpoolRefId: null, token: null, path: null })
    // A volume that was expunged while its host was away stays so.
    .where(and(eq(volumes.instanceId, vmId), eq(volumes.token, token), isNull(volumes.removed)));
  // As long as no newer try has put it in the drive on a pool of its own.
  await tx
    .update(vmInstance)
    .set({ isoSpoolRefId: null })
    .where(and(eq(vmInstance.id, vmId), eq(vmInstance.state, 'Starting'), eq(vmInstance.fenceToken, token)));
  if (!claim) return;
  await returnCompute(tx, claim);
  await tx
    .update(storagePool)
    .set({ allocatedBytes: sql`${storagePool.allocatedBytes} - ${claim.diskBytes}` })
    .where(eq(storagePool.id, claim.poolId));
}

/** A stopped try keeps its disk and gives CPU and memory back. Doing it twice changes nothing. */
export async function releaseCompute(tx: Transaction, vmId: string, token: number): Promise<void> {
  const isTry = and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, token));
  const [claim] = await tx.select().from(capacityClaim).where(isTry).for('update');
  // Whoever owes the undo of a try owes its disk too, although its domain has ended by now.
  const isPaid = and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.token, token), eq(cleanupDebt.keepsDisk, true));
  await tx.delete(cleanupDebt).where(isPaid);
  if (!claim) return;
  await tx.update(capacityClaim).set({ cpuMhz: 0, ramBytes: 0 }).where(isTry);
  await returnCompute(tx, claim);
}

/** CPU and memory. */
async function returnCompute(tx: Transaction, claim: Pick<NewClaim, 'hostId' | 'cpuMhz' | 'ramBytes'>): Promise<void> {
  // Whoever starts a VM has the host first and the claims of the VM then. One that is given back twice must not wait.
  if (claim.cpuMhz === 0 && claim.ramBytes === 0) return;
  await tx
    .update(host)
    .set({
      cpuUsedMhz: sql`${host.cpuUsedMhz} - ${claim.cpuMhz}`,
      ramUsedBytes: sql`${host.ramUsedBytes} - ${claim.ramBytes}`,
    })
    .where(eq(host.id, claim.hostId));
}
