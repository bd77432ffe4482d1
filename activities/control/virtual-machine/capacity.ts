import { and, eq, isNull, not, sql, TransactionRollbackError } from 'drizzle-orm';
import { isOwed } from '../../../db/claim-sql.js';
import { isOpen } from '../../../db/pool-sql.js';
import { capacityClaim, cleanupDebt, host, storagePool, vmInstance, volumes } from '../../../db/schema/index.js';
import type { Transaction } from '../dependencies.js';
import type { Factors } from '../planner/factors.js';
import { fitsCluster } from './fits-cluster.js';

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

/** Unless it is taken somebody else was faster, and nothing is changed. */
export type Taking = 'taken' | 'place full' | 'cluster full';

/**
 * Takes capacity from host and pool for a try of a VM if it is still there, and gives the VM the token of that try:
 * concurrent deployments read the same free capacity and only as many succeed as fit.
 */
export const takeCapacity = (tx: Transaction, claim: NewClaim, rules: ClaimRules): Promise<Taking> =>
  allOrNothing(tx, async (savepoint) => {
    if ((await takeAll(savepoint, claim, rules)).length === 0) return 'place full';
    return takeInCluster(savepoint, claim, rules);
  });

const takeInCluster = async (
  tx: Transaction,
  { hostId }: Pick<NewClaim, 'hostId'>,
  { factors }: ClaimRules,
): Promise<Taking> => ((await fitsCluster(tx, hostId, factors)) ? 'taken' : 'cluster full');

/** One statement: it is on the way of each deployment, and drizzle takes longer to put four together than they run. */
const takeAll = (
  tx: Transaction,
  { vmId, token, hostId, poolId, cpuMhz, ramBytes, diskBytes }: NewClaim,
  { factors, mayWait }: ClaimRules,
): Promise<unknown[]> =>
  tx.execute(sql`
    with taken_host as (
      update ${host} set cpu_used_mhz = cpu_used_mhz + ${cpuMhz}, ram_used_bytes = ram_used_bytes + ${ramBytes}
      where ${hasCompute({ hostId, cpuMhz, ramBytes }, { factors, mayWait })}
      returning id
    ), taken_pool as (
      update ${storagePool} set allocated_bytes = allocated_bytes + ${diskBytes}
      where id = ${poolId} and exists (select from taken_host) and status = 'Up'
        and allocated_bytes + ${diskBytes}
          <= (capacity_bytes * ${factors.storage.mostAllocated}::float8 - template_bytes) * ${factors.storage.factor}::float8
      returning id
    ), claimed as (
      insert into ${capacityClaim} (vm_id, token, host_id, pool_id, cpu_mhz, ram_bytes, disk_bytes)
      select ${vmId}::uuid, ${token}::bigint, ${hostId}::uuid, id, ${cpuMhz}::int, ${ramBytes}::bigint, ${diskBytes}::bigint
      from taken_pool
      returning vm_id
    )
    update ${vmInstance} set fence_token = ${token}, last_host_id = ${hostId}
    from claimed where id = vm_id
    returning id`);

/**
 * In a savepoint: a host that was waited for and is full by now stays locked until what looked at it is undone. Planners
 * that try hosts in different orders would wait for each other.
 */
async function allOrNothing(tx: Transaction, take: (savepoint: Transaction) => Promise<Taking>): Promise<Taking> {
  let taking: Taking | undefined;
  try {
    return await tx.transaction(async (savepoint) => {
      taking = await take(savepoint);
      return taking === 'taken' ? taking : savepoint.rollback();
    });
  } catch (error) {
    if (taking && error instanceof TransactionRollbackError) return taking;
    throw error;
  }
}

/**
 * Takes CPU and memory from a host, if they are still there, for a VM whose disk exists. The new claim takes the space
 * of the disk over from the one before. That of another host stays, empty: when the VM is expunged, its console log is
 * there too.
 */
export const takeComputeForDisk = (
  tx: Transaction,
  claim: Omit<NewClaim, 'diskBytes'>,
  rules: ClaimRules,
): Promise<Taking> =>
  allOrNothing(tx, async (savepoint) => {
    if (!(await takeCompute(savepoint, claim, rules))) return 'place full';
    await takeDiskOver(savepoint, claim);
    // It may have been closed for maintenance since its state was read.
    if (!(await isOpen(savepoint, claim.poolId))) return 'place full';
    return takeInCluster(savepoint, claim, rules);
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

async function takeCompute(
  tx: Transaction,
  { hostId, cpuMhz, ramBytes }: Pick<NewClaim, 'hostId' | 'cpuMhz' | 'ramBytes'>,
  rules: ClaimRules,
): Promise<boolean> {
  const hosts = await tx
    .update(host)
    .set({ cpuUsedMhz: sql`${host.cpuUsedMhz} + ${cpuMhz}`, ramUsedBytes: sql`${host.ramUsedBytes} + ${ramBytes}` })
    .where(hasCompute({ hostId, cpuMhz, ramBytes }, rules))
    .returning({ id: host.id });
  return hosts.length > 0;
}

/** By the setting of now: where a factor was lowered, what is promised already stays, and nothing is added. */
const hasCompute = (
  { hostId, cpuMhz, ramBytes }: Pick<NewClaim, 'hostId' | 'cpuMhz' | 'ramBytes'>,
  { factors, mayWait }: ClaimRules,
) => {
  // Not against new rows that refer to the host: they and this would wait for each other.
  const unclaimed = sql`(select id from ${host} where id = ${hostId} for no key update skip locked)`;
  return sql`${host.id} = ${mayWait ? hostId : unclaimed} and ${host.status} = 'Up' and ${host.resourceState} = 'Enabled'
    and ${host.cpuUsedMhz} + ${cpuMhz} <= ${host.cpus}::float8 * ${host.speedMhz} * ${factors.cpu}::float8
    and ${host.ramUsedBytes} + ${ramBytes} <= ${host.ramBytes} * ${factors.memory}::float8`;
};

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
