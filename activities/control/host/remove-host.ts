import { and, count, desc, eq, inArray, isNotNull, isNull, ne, or, sql } from 'drizzle-orm';
import { unlessEnded } from '../../../client/unless-ended.js';
import {
  capacityClaim,
  cleanupDebt,
  host,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  vmInstance,
  volumes,
} from '../../../db/schema/index.js';
import { SlipwayError } from '../../../shared/errors.js';
import type { RemoveHostInput } from '../../../shared/hosts.js';
import { hostWorkflowId } from '../../../shared/workflow-ids.js';
import { releaseCapacity, releaseCompute } from '../virtual-machine/capacity.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { computingOn, lockHost } from './lock-host.js';
import { recordEvent } from '../record-event.js';

type HostRow = typeof host.$inferSelect;

/**
 * Takes a host out of the installation, with the pools that only it reaches and the copies of templates there. What it
 * owes nobody asks of it any more.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is in use, and the text says by what
 */
export const removeHost =
  ({ db, client }: ControlDependencies) =>
  async ({ hostId, isForced, accountId, userId }: RemoveHostInput): Promise<void> => {
    await db.transaction(async (tx) => {
      const [known] = await tx.select().from(host).where(eq(host.id, hostId));
      // The try before this one did it, and could not say so.
      if (known?.removed) return;
      await lockClaims(tx, hostId);
      const self = await lockHost(tx, hostId);
      requireState(self, isForced);
      const ownPools = await ownPoolsOf(tx, hostId);
      await requireNothingRuns(tx, self);
      // Before disks are looked at: what it should have undone is none, and its VM may be started elsewhere.
      await forgetDebts(tx, hostId);
      await requireUnused(tx, self, ownPools);
      await handClaimsOn(tx, self);
      await removePools(tx, hostId, ownPools);
      await tx
        .update(host)
        .set({ status: 'Removed', resourceState: 'Disabled', removed: sql`now()` })
        .where(eq(host.id, hostId));
      await recordEvent(tx, {
        type: 'HOST.REMOVE',
        level: 'INFO',
        description: `Host ${self.name} was removed`,
        accountId,
        userId,
        resourceType: 'Host',
        resourceId: hostId,
      });
    });
    await unlessEnded(client.workflow.getHandle(hostWorkflowId(hostId)).signal('hostRemoved'));
  };

/**
 * Before the host, as whoever gives a claim back has it, and before debts are read: one that is about to be noted waits,
 * and is then of whoever has the claim.
 */
async function lockClaims(tx: Transaction, hostId: string): Promise<void> {
  const { vmId, token } = capacityClaim;
  await tx.select().from(capacityClaim).where(eq(capacityClaim.hostId, hostId)).orderBy(vmId, token).for('update');
}

const refusal = (message: string): SlipwayError => new SlipwayError('SLIPWAY_RESOURCE_STATE', message);

function requireState({ name, status, resourceState }: HostRow, isForced: boolean): void {
  if (resourceState === 'Maintenance') return;
  const isGone = status !== 'Up' || resourceState === 'Degraded';
  if (isForced && isGone) return;
  throw refusal(
    isForced
      ? `Host ${name} is Up: prepare it for maintenance first`
      : `Host ${name} is not in Maintenance. One that is gone for good can be removed with forced=true`,
  );
}

/** Ids of the pools that no other host reaches. */
async function ownPoolsOf(tx: Transaction, hostId: string): Promise<string[]> {
  const hosts = tx
    .select({ poolId: storagePoolHostRef.poolId, hosts: count().as('hosts') })
    .from(storagePoolHostRef)
    .innerJoin(host, and(eq(host.id, storagePoolHostRef.hostId), isNull(host.removed)))
    .groupBy(storagePoolHostRef.poolId)
    .as('hosts');
  const own = await tx
    .select({ id: storagePool.id })
    .from(storagePoolHostRef)
    .innerJoin(storagePool, eq(storagePool.id, storagePoolHostRef.poolId))
    .innerJoin(hosts, eq(hosts.poolId, storagePool.id))
    .where(and(eq(storagePoolHostRef.hostId, hostId), eq(hosts.hosts, 1), isNull(storagePool.removed)));
  return own.map(({ id }) => id);
}

async function requireNothingRuns(tx: Transaction, self: HostRow): Promise<void> {
  // On a Degraded host nothing runs: an operator has said so. What it owes is no start that is still under way.
  const running = await computingOn(tx, self.id, { isOwedToo: self.resourceState !== 'Degraded' });
  if (running.length === 0) return;
  const names = running.map(({ name }) => name).join(', ');
  throw refusal(`Host ${self.name} may still run virtual machines: ${names}. Stop them, or declare it as Degraded`);
}

async function requireUnused(tx: Transaction, self: HostRow, ownPools: string[]): Promise<void> {
  if (ownPools.length === 0) return;
  const disks = await tx
    .select({ vmName: vmInstance.name, poolName: storagePool.name })
    .from(volumes)
    .innerJoin(storagePool, eq(storagePool.id, volumes.poolId))
    .leftJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
    .where(and(inArray(volumes.poolId, ownPools), isNull(volumes.removed)));
  if (disks.length > 0) {
    const names = disks.map(({ vmName, poolName }) => `${vmName} on ${poolName}`).join(', ');
    throw refusal(`Only host ${self.name} reaches the disks of virtual machines: ${names}. Expunge them first`);
  }
  const [arriving] = await tx
    .select({ id: templateSpoolRef.id })
    .from(templateSpoolRef)
    .where(
      and(inArray(templateSpoolRef.poolId, ownPools), inArray(templateSpoolRef.state, ['Allocated', 'Downloading'])),
    )
    .limit(1);
  if (arriving) throw refusal(`A template is on its way to a pool of host ${self.name}: wait for it`);
}

async function forgetDebts(tx: Transaction, hostId: string): Promise<void> {
  const debts = await tx.select().from(cleanupDebt).where(eq(cleanupDebt.hostId, hostId));
  for (const { vmId, token, keepsDisk } of debts) await (keepsDisk ? releaseCompute : releaseCapacity)(tx, vmId, token);
}

/** The disk of a stopped VM on a shared pool is another host's from now on: somebody has to remove it one day. */
async function handClaimsOn(tx: Transaction, { id: hostId, name }: HostRow): Promise<void> {
  const claims = await tx.select().from(capacityClaim).where(eq(capacityClaim.hostId, hostId));
  for (const { vmId, token, poolId, diskBytes } of claims) {
    const isClaim = and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, token));
    if (diskBytes === 0) {
      await tx.delete(capacityClaim).where(isClaim);
      continue;
    }
    const [heir] = await tx
      .select({ hostId: host.id })
      .from(storagePoolHostRef)
      .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
      .where(and(eq(storagePoolHostRef.poolId, poolId), ne(host.id, hostId), isNull(host.removed)))
      // Of a revoked one nothing is asked, and what is there would be removed by nobody.
      .orderBy(desc(sql`${host.status} = 'Up'`), sql`${host.status} = 'Revoked'`, host.name)
      .limit(1);
    if (!heir) throw refusal(`Only host ${name} reaches what VM ${vmId} has on a pool. Expunge it first`);
    await tx.update(capacityClaim).set({ hostId: heir.hostId }).where(isClaim);
  }
}

async function removePools(tx: Transaction, hostId: string, ownPools: string[]): Promise<void> {
  // A shared one that an operator has made waits for the next host.
  const isLeft = and(inArray(storagePool.id, ownPools), or(eq(storagePool.scope, 'HOST'), isNull(storagePool.path)));
  const left = (await tx.select({ id: storagePool.id }).from(storagePool).where(isLeft)).map(({ id }) => id);
  if (left.length > 0) {
    // Disks that another one took the place of, and whose host is gone: nobody will remove their files.
    await tx
      .update(volumes)
      .set({ state: 'Expunged', path: null, templateSpoolRefId: null, reservedBytes: 0, hostId: null })
      .where(and(inArray(volumes.poolId, left), isNotNull(volumes.removed)));
    await tx.delete(templateSpoolRef).where(inArray(templateSpoolRef.poolId, left));
    await tx
      .update(storagePool)
      .set({ status: 'Removed', removed: sql`now()`, templateBytes: 0, allocatedBytes: 0 })
      .where(inArray(storagePool.id, left));
  }
  await tx.delete(storagePoolHostRef).where(eq(storagePoolHostRef.hostId, hostId));
}
