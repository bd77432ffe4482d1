import { and, eq, inArray, sql } from 'drizzle-orm';
import { capacityClaim, cleanupDebt, host, storagePool, templateSpoolRef, volumes } from '../../db/schema/index.js';
import { announcePool } from '../../db/announce-pool.js';
import type { HostChanged, HostStatus, PoolReport } from '../../shared/hosts.js';
import type { PoolCopies } from '../../shared/templates.js';
import type { Debt } from '../../shared/virtual-machines.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from './dependencies.js';
import { followDomains, straysOf } from './follow-domains.js';
import { recordEvent } from './record-event.js';

export interface HostArrears {
  hostName: string;
  zoneId: string;
  /** Undo that this host has not answered to, and domains that should not be there. */
  debts: Debt[];
  /** Of the partial files that the host has found: those that nobody will resume. */
  deadPartials: PoolCopies[];
}

export interface HelloInput {
  hostId: string;
  status: HostStatus;
  /** Template copies of which there are partial files on the host's pools. */
  partials: PoolCopies[];
}

/** What a host that has come back has to do before it is Up. A debtor gets no new VMs meanwhile. */
export const recordHello =
  ({ db }: ControlDependencies) =>
  async ({ hostId, status, partials }: HelloInput): Promise<HostArrears> =>
    db.transaction(async (tx) => {
      for (const pool of inOrder(status.facts.pools)) await announcePool(tx, hostId, pool);
      await recordFacts(tx, hostId, status);
      const [self] = await tx.select().from(host).where(eq(host.id, hostId));
      const debts = await arrearsOf(tx, hostId, status);
      if (debts.length > 0) {
        await tx
          .update(host)
          .set({ status: 'Connecting' })
          .where(and(eq(host.id, hostId), eq(host.status, 'Up')));
      }
      return {
        hostName: self!.name,
        zoneId: self!.dataCenterId,
        debts,
        deadPartials: await deadOf(tx, partials),
      };
    });

/**
 * Partial files that a host has found and that no stage works on, on whichever host of the pool. They were found before
 * this is asked, and an epoch is opened before its first file is made and never twice: what is dead now stays so.
 */
async function deadOf(tx: Transaction, partials: PoolCopies[]): Promise<PoolCopies[]> {
  const live = await tx
    .select()
    .from(templateSpoolRef)
    .where(
      and(
        inArray(
          templateSpoolRef.poolId,
          partials.map(({ poolId }) => poolId),
        ),
        eq(templateSpoolRef.state, 'Downloading'),
      ),
    );
  return partials.map(({ poolId, copies }) => ({
    poolId,
    copies: copies.filter(
      (copy) =>
        !live.some(
          (row) =>
            row.poolId === poolId &&
            row.templateId === copy.templateId &&
            row.generation === copy.generation &&
            row.epoch === copy.epoch,
        ),
    ),
  }));
}

async function arrearsOf(tx: Transaction, hostId: string, { domains }: HostStatus): Promise<Debt[]> {
  const debts = await debtsOf(tx, hostId);
  const strays = await straysOf(tx, hostId, domains);
  const isOwed = ({ vmId, token }: Debt): boolean => debts.some((debt) => debt.vmId === vmId && debt.token === token);
  return [...debts, ...strays.filter((stray) => !isOwed(stray))];
}

async function debtsOf(tx: Transaction, hostId: string): Promise<Debt[]> {
  return tx
    .select({
      vmId: cleanupDebt.vmId,
      token: cleanupDebt.token,
      keepsDisk: cleanupDebt.keepsDisk,
      hostId: host.id,
      hostName: host.name,
      poolId: capacityClaim.poolId,
      volumeId: volumes.id,
    })
    .from(cleanupDebt)
    .innerJoin(host, eq(host.id, cleanupDebt.hostId))
    .innerJoin(capacityClaim, and(eq(capacityClaim.vmId, cleanupDebt.vmId), eq(capacityClaim.token, cleanupDebt.token)))
    .innerJoin(volumes, and(eq(volumes.instanceId, cleanupDebt.vmId), eq(volumes.volumeType, 'ROOT')))
    .where(eq(cleanupDebt.hostId, hostId))
    .orderBy(cleanupDebt.created);
}

export const markHostUp =
  (dependencies: ControlDependencies) =>
  async ({ hostId, bootId }: { hostId: string; bootId: string }): Promise<void> => {
    await setStatus(dependencies, hostId, 'Up');
    await tellStages(dependencies, { hostId, status: 'Up', bootId });
  };

/** Down moves no VM and ends no download: Temporal itself may have been away for seconds. */
export const markHostDown =
  (dependencies: ControlDependencies) =>
  async ({ hostId }: { hostId: string }): Promise<void> => {
    await setStatus(dependencies, hostId, 'Down');
    const [self] = await dependencies.db.select().from(host).where(eq(host.id, hostId));
    await tellStages(dependencies, { hostId, status: 'Down', bootId: self?.bootId ?? null });
  };

async function setStatus({ db }: ControlDependencies, hostId: string, status: 'Up' | 'Down'): Promise<void> {
  const [changed] = await db
    .update(host)
    .set({ status, lastPinged: sql`now()` })
    .where(and(eq(host.id, hostId), sql`${host.status} not in (${status}, 'Removed')`))
    .returning();
  if (!changed) return;
  await recordEvent(db, {
    type: `HOST.${status.toUpperCase()}`,
    level: status === 'Up' ? 'INFO' : 'WARN',
    description: `Host ${changed.name} is ${status}`,
    resourceType: 'Host',
    resourceId: hostId,
  });
}

/** A stage on this host need not wait for its heartbeat timeout to learn that the process it runs in has ended. */
async function tellStages({ db, client }: ControlDependencies, change: HostChanged): Promise<void> {
  const stages = await db
    .select()
    .from(templateSpoolRef)
    .where(and(eq(templateSpoolRef.hostId, change.hostId), eq(templateSpoolRef.state, 'Downloading')));
  await Promise.all(
    stages.map(({ poolId, templateId, generation }) =>
      client.workflow
        .getHandle(stageWorkflowId(poolId, templateId, generation))
        .signal('hostChanged', change)
        .catch((error: unknown) => {
          // It has ended in the meantime. Any other error is tried again: a stage that was not told waits for ever.
          if (!(error instanceof Error) || error.name !== 'WorkflowNotFoundError') throw error;
        }),
    ),
  );
}

/** Facts, pools and VM states as the host sees them. @returns what it owes: a host that was Up may fail at an undo */
export const recordHostStatus =
  ({ db }: ControlDependencies) =>
  async ({ hostId, status }: { hostId: string; status: HostStatus }): Promise<Debt[]> =>
    db.transaction(async (tx) => {
      await recordFacts(tx, hostId, status);
      return arrearsOf(tx, hostId, status);
    });

async function recordFacts(tx: Transaction, hostId: string, { facts, domains }: HostStatus): Promise<void> {
  await tx
    .update(host)
    .set({
      arch: facts.arch,
      cpus: facts.cpus,
      speedMhz: facts.cpuSpeedMhz,
      ramBytes: facts.memoryBytes,
      domainType: facts.domainType,
      hypervisorVersion: facts.hypervisorVersion,
      bootId: facts.bootId,
      lastPinged: sql`now()`,
    })
    .where(eq(host.id, hostId));
  for (const { poolId, capacityBytes, usedBytes } of inOrder(facts.pools)) {
    await tx.update(storagePool).set({ capacityBytes, usedBytes }).where(eq(storagePool.id, poolId));
  }
  await followDomains(tx, hostId, domains);
}

/** Two hosts of the same pools that locked them in different orders would wait for each other. */
const inOrder = (pools: PoolReport[]): PoolReport[] => pools.toSorted((a, b) => a.poolId.localeCompare(b.poolId));
