import { and, eq, inArray, isNull, ne, not, notExists, or, sql } from 'drizzle-orm';
import { hasRunningJob } from '../../../db/job-sql.js';
import { isMaintained } from '../../../db/pool-sql.js';
import {
  capacityClaim,
  host,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  vmInstance,
  volumes,
} from '../../../db/schema/index.js';
import { readSettings } from '../../../db/settings.js';
import { isUuid } from '../../../kvm/uuid.js';
import { boundedText } from '../../../shared/bounded-text.js';
import type {
  Finding,
  HostInventory,
  InventoryCursor,
  Missing,
  Orphan,
  PoolRange,
  ReconcileHostInput,
  ReconciliationPlan,
  SettledInventory,
  Settlement,
} from '../../../shared/reconciliation.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { LONGEST_WORD } from '../host/bound-status.js';
import { recordEvent } from '../record-event.js';
import { isUnused, isWhole } from '../template/unused-copies.js';
import { comparePools } from './compare-pools.js';
import { inventoryPart, isOurs } from './inventory-part.js';
import { readKnownPools } from './read-known-pools.js';
import { reportFindings, reportRemoved } from './report-findings.js';
import { understoodInventory, understoodSettled } from './understood-answers.js';

/** When hosts of a shared pool start together, one of them looks at it. */
const JUST_NOW_SECONDS = 60;

/** Whether what a host has should be compared again: since `storage.reconcile.interval`, or its worker's last start. */
export const isReconciliationDue = (intervalSeconds: number) =>
  and(
    eq(host.status, 'Up'),
    isNull(host.removed),
    or(
      isNull(host.reconciled),
      sql`${host.reconciledBootId} is distinct from ${host.bootId}`,
      isOlder(sql`${host.reconciled}`, intervalSeconds),
    ),
  );

const isOlder = (time: ReturnType<typeof sql>, seconds: number) =>
  sql`${time} < now() - make_interval(secs => ${seconds})`;

/** @returns null when there is nothing to compare: somebody started this workflow once too often */
export const planReconciliation =
  ({ db }: ControlDependencies) =>
  async ({ hostId }: ReconcileHostInput): Promise<ReconciliationPlan | null> =>
    db.transaction(async (tx) => {
      const intervalSeconds = Number((await readSettings(tx))['storage.reconcile.interval']);
      const [due] = await tx
        .select()
        .from(host)
        .where(and(eq(host.id, hostId), isReconciliationDue(intervalSeconds)))
        .for('no key update');
      if (!due) return null;
      const hasStarted = due.reconciledBootId !== due.bootId;
      const seconds = hasStarted ? Math.min(JUST_NOW_SECONDS, intervalSeconds) : intervalSeconds;
      const ofHost = tx
        .select({ id: storagePoolHostRef.poolId })
        .from(storagePoolHostRef)
        .where(eq(storagePoolHostRef.hostId, hostId));
      const claimed = await tx
        .select({ id: storagePool.id })
        .from(storagePool)
        .where(
          and(
            inArray(storagePool.id, ofHost),
            isNull(storagePool.removed),
            not(isMaintained),
            or(
              eq(storagePool.scope, 'HOST'),
              isNull(storagePool.reconciled),
              isOlder(sql`${storagePool.reconciled}`, seconds),
            ),
          ),
        )
        // Two hosts of the same pools that locked them in different orders would wait for each other.
        .orderBy(storagePool.id)
        .for('no key update');
      const poolIds = claimed.map(({ id }) => id);
      if (poolIds.length > 0) {
        await tx
          .update(storagePool)
          .set({ reconciled: sql`now()` })
          .where(inArray(storagePool.id, poolIds));
      }
      return { hostName: due.name, poolIds };
    });

export interface CompareInventoryInput extends ReconcileHostInput {
  inventory: HostInventory;
  /** In the order in which they are looked at; those of the inventory when missing, as before there were parts. */
  poolIds?: string[];
  /** Missing for the first part. */
  from?: InventoryCursor | undefined;
}

export interface Comparison {
  settlement: Settlement;
  findings: Finding[];
  /** What was compared. */
  ranges?: PoolRange[] | undefined;
  /** Where the next part begins. */
  next?: InventoryCursor | undefined;
}

/**
 * Compares what was found with what the database says afterwards: a file that was made meanwhile is not in the list, and
 * what has become an orphan meanwhile is one for ever.
 */
export const compareInventory =
  ({ db }: ControlDependencies) =>
  async ({ hostId, inventory: said, from, ...input }: CompareInventoryInput): Promise<Comparison> =>
    db.transaction(
      async (tx) => {
        const inventory = understoodInventory(said);
        const reached = await poolsOf(tx, hostId);
        const poolIds = input.poolIds ?? inventory.pools.map(({ poolId }) => poolId);
        const part = inventoryPart(inventory, poolIds, from);
        const pools = part.pools.filter(({ poolId }) => reached.has(poolId));
        const { differences, ranges, next } = comparePools(pools, await readKnownPools(tx, pools));
        const goneVmIds = await goneOf(tx, hostId, inventory.keptVmIds.filter(isUuid));
        const strangers = await unknownOf(tx, inventory.vmIds.filter(isUuid));
        return {
          settlement: {
            orphans: differences.flatMap(({ orphans }) => orphans),
            missing: differences.flatMap(({ missing }) => missing),
            goneVmIds,
          },
          findings: [
            ...differences.flatMap(({ unknownFiles }, index) =>
              unknownFiles.map((name): Finding => ({ kind: 'unknownFile', placeId: ranges[index]!.poolId, name })),
            ),
            ...strangers.map((name): Finding => ({ kind: 'unknownVm', placeId: hostId, name })),
          ],
          ranges,
          next: next ?? part.next,
        };
      },
      { isolationLevel: 'repeatable read', accessMode: 'read only' },
    );

/** Expunged VMs that hold nothing on the host any more. */
async function goneOf(tx: Transaction, hostId: string, vmIds: string[]): Promise<string[]> {
  if (vmIds.length === 0) return [];
  const holding = tx
    .select({ one: sql`1` })
    .from(capacityClaim)
    .where(and(eq(capacityClaim.vmId, vmInstance.id), eq(capacityClaim.hostId, hostId)));
  const rows = await tx
    .select({ id: vmInstance.id })
    .from(vmInstance)
    .where(and(inArray(vmInstance.id, vmIds), eq(vmInstance.state, 'Expunged'), notExists(holding)));
  return rows.map(({ id }) => id);
}

async function unknownOf(tx: Transaction, vmIds: string[]): Promise<string[]> {
  if (vmIds.length === 0) return [];
  const rows = await tx.select({ id: vmInstance.id }).from(vmInstance).where(inArray(vmInstance.id, vmIds));
  const known = new Set(rows.map(({ id }) => id));
  return vmIds.filter((id) => !known.has(id));
}

/** Another host of these pools may look at them: this one could not. */
export const leavePools =
  ({ db }: ControlDependencies) =>
  async ({ poolIds }: { poolIds: string[] }): Promise<void> => {
    await db.update(storagePool).set({ reconciled: null }).where(inArray(storagePool.id, poolIds));
  };

export interface RecordReconciledInput extends ReconcileHostInput {
  /** Of the host worker that looked. */
  bootId: string;
  /** Pools that it could read, in a call of a control worker that knows of no parts. */
  poolIds?: string[];
  /** What it could read. */
  ranges?: PoolRange[];
  findings: Finding[];
  settled: SettledInventory;
  /** Whether this was the first part, which has the VMs. */
  isFirst?: boolean;
  isLast?: boolean;
}

/** Reports what was found and not before; a copy that is lost is not given to anybody any more. */
export const recordReconciled =
  ({ db }: ControlDependencies) =>
  async ({ hostId, bootId, findings, settled: said, isFirst = true, isLast = true, ...input }: RecordReconciledInput) =>
    db.transaction(async (tx) => {
      const settled = understoodSettled(said);
      const reached = await poolsOf(tx, hostId);
      const isReached = ({ poolId }: { poolId: string }): boolean => reached.has(poolId);
      const isItsOwn = (file: Orphan): boolean => isReached(file) && isOurs(file.fileName);
      const lost: Finding[] = [];
      for (const missing of settled.missing.filter(isItsOwn)) {
        const isLost = missing.kind === 'lostTemplate' ? giveUpCopy : isDiskLost;
        if (!(await isLost(tx, missing))) continue;
        lost.push({ kind: missing.kind, placeId: missing.poolId, name: missing.fileName });
      }
      const inUse = settled.inUse.filter(isItsOwn).map(({ poolId, fileName }): Finding => ({
        kind: 'orphanInUse',
        placeId: poolId,
        name: fileName,
      }));
      await reportRemoved(tx, settled.removed.filter(isItsOwn));
      const ranges = input.ranges ?? (input.poolIds ?? []).map((poolId): PoolRange => ({ poolId }));
      const places = ranges.filter(isReached).map(({ poolId, ...range }) => ({ placeId: poolId, ...range }));
      await reportFindings(tx, isFirst ? [{ placeId: hostId }, ...places] : places, [...findings, ...inUse, ...lost]);
      if (!isLast) return;
      await tx
        .update(host)
        .set({ reconciled: sql`now()`, reconciledBootId: boundedText(bootId, LONGEST_WORD) })
        .where(eq(host.id, hostId));
    });

/** Of what a host says only this counts: files of another host's pool are not lost because it names them. */
async function poolsOf(tx: Transaction, hostId: string): Promise<Set<string>> {
  const rows = await tx
    .select({ poolId: storagePoolHostRef.poolId })
    .from(storagePoolHostRef)
    .where(eq(storagePoolHostRef.hostId, hostId));
  return new Set(rows.map(({ poolId }) => poolId));
}

/**
 * The next deployment brings the template anew. A copy that nothing uses leaves by eviction, which has its space given
 * back; one that disks refer to is superseded.
 *
 * @returns whether disks refer to it: they are lost with it
 */
async function giveUpCopy(tx: Transaction, { poolId, fileName }: Missing): Promise<boolean> {
  const isCopy = and(eq(templateSpoolRef.poolId, poolId), eq(templateSpoolRef.installPath, fileName), isWhole);
  const [copy] = await tx.select().from(templateSpoolRef).where(isCopy).for('update');
  if (!copy) return false;
  const [evicting] = await tx
    .update(templateSpoolRef)
    .set({ state: 'Evicting', lastUpdated: sql`now()` })
    .where(and(isCopy, isUnused(tx)))
    .returning();
  if (!evicting) {
    await tx
      .update(templateSpoolRef)
      .set({ state: 'Superseded', lastUpdated: sql`now()` })
      .where(and(isCopy, ne(templateSpoolRef.state, 'Superseded')));
    return true;
  }
  await recordEvent(tx, {
    type: 'STORAGE.LOST',
    level: 'WARN',
    description: `The file ${fileName} of a template is gone from its pool; nothing used it, and it is fetched again when it is needed`,
    resourceType: 'Template',
    resourceId: copy.templateId,
  });
  return false;
}

/** Still the disk of a VM that nothing works on: a job that removed it has ended with the row saying so. */
async function isDiskLost(tx: Transaction, { poolId, fileName }: Missing): Promise<boolean> {
  const [volume] = await tx
    .select({ id: volumes.id })
    .from(volumes)
    .where(
      and(
        eq(volumes.poolId, poolId),
        eq(volumes.path, fileName),
        eq(volumes.state, 'Ready'),
        isNull(volumes.removed),
        not(hasRunningJob(tx, volumes.instanceId)),
      ),
    );
  return volume !== undefined;
}
