import { and, eq, inArray, or } from 'drizzle-orm';
import { host, reconciliationFinding, storagePool, vmInstance, volumes } from '../../../db/schema/index.js';
import {
  type Finding,
  type FindingKind,
  isInRange,
  type Orphan,
  type PoolRange,
} from '../../../shared/reconciliation.js';
import type { Transaction } from '../dependencies.js';
import { nameSome } from '../name-some.js';
import { recordEvent } from '../record-event.js';

const BATCH = 5_000;

const TEXTS: Record<FindingKind, (place: string, names: string) => string> = {
  unknownFile: (place, names) =>
    `Pool ${place} has files of templates or disks that the database does not know. They are left alone: ${names}`,
  orphanInUse: (place, names) =>
    `Pool ${place} has files that count for nothing, and that other files stand on. They are left alone: ${names}`,
  lostTemplate: (place, names) => `Copies of templates are gone from pool ${place}, and disks stand on them: ${names}`,
  lostVolume: (place, names) => `Disks are gone from pool ${place}: ${names}`,
  unknownVm: (place, names) =>
    `Host ${place} runs VMs of this installation that the database does not know. They are left alone: ${names}`,
};

const EVENTS: Record<FindingKind, { type: string; level: 'WARN' | 'ERROR' }> = {
  unknownFile: { type: 'STORAGE.ORPHAN', level: 'WARN' },
  orphanInUse: { type: 'STORAGE.ORPHAN', level: 'WARN' },
  lostTemplate: { type: 'STORAGE.LOST', level: 'ERROR' },
  lostVolume: { type: 'STORAGE.LOST', level: 'ERROR' },
  unknownVm: { type: 'HOST.UNKNOWN.VM', level: 'ERROR' },
};

type Place = { placeId: string } & Omit<PoolRange, 'poolId'>;

/**
 * One event for each kind of finding at each place, of what was not found before. What is found no longer is forgotten,
 * so that it is told again should it come back.
 *
 * @param places all pools and hosts that were looked at, and what was looked at there
 */
export async function reportFindings(tx: Transaction, places: Place[], findings: Finding[]): Promise<void> {
  const placeIds = places.map(({ placeId }) => placeId);
  const known = await tx
    .select()
    .from(reconciliationFinding)
    .where(inArray(reconciliationFinding.placeId, placeIds))
    .for('update');
  const wasLookedAt = ({ placeId, name }: Finding): boolean =>
    places.some((place) => place.placeId === placeId && isInRange(place, name));
  const present = new Set(findings.map(keyOf));
  const reported = new Set(known.map(keyOf));
  for (const gone of batches(known.filter((row) => wasLookedAt(row) && !present.has(keyOf(row))))) {
    await tx.delete(reconciliationFinding).where(or(...grouped(gone, placeAndKind).map(isAnyOf)));
  }
  const fresh = findings.filter((finding) => !reported.has(keyOf(finding)));
  for (const batch of batches(fresh)) await tx.insert(reconciliationFinding).values(batch).onConflictDoNothing();
  for (const ofKind of grouped(fresh, placeAndKind)) {
    const { placeId, kind } = ofKind[0]!;
    const names = ofKind.map(({ name }) => name).toSorted();
    const { type, level } = EVENTS[kind];
    const isHost = kind === 'unknownVm';
    await recordEvent(tx, {
      type,
      level,
      description: TEXTS[kind](await placeName(tx, placeId, isHost), nameSome(names)),
      resourceType: isHost ? 'Host' : 'StoragePool',
      resourceId: placeId,
    });
    if (kind === 'lostVolume') await tellOwners(tx, placeId, names);
  }
}

const placeAndKind = ({ placeId, kind }: Finding): string => `${placeId} ${kind}`;
const keyOf = (finding: Finding): string => `${placeAndKind(finding)} ${finding.name}`;

/** @param findings of one kind at one place */
const isAnyOf = (findings: readonly Finding[]) =>
  and(
    eq(reconciliationFinding.placeId, findings[0]!.placeId),
    eq(reconciliationFinding.kind, findings[0]!.kind),
    inArray(
      reconciliationFinding.name,
      findings.map(({ name }) => name),
    ),
  );

/** PostgreSQL takes 65,535 parameters in a statement, and a database from a backup may know none of a pool's files. */
function* batches<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}

function grouped<Item>(items: readonly Item[], keyOfItem: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOfItem(item));
    if (group) group.push(item);
    else groups.set(keyOfItem(item), [item]);
  }
  return [...groups.values()];
}

async function placeName(tx: Transaction, id: string, isHost: boolean): Promise<string> {
  const place = isHost ? host : storagePool;
  const [row] = await tx.select({ name: place.name }).from(place).where(eq(place.id, id));
  return row?.name ?? id;
}

/** Whose disk is gone learns it too. */
async function tellOwners(tx: Transaction, poolId: string, names: string[]): Promise<void> {
  const rows = await tx
    .select({ vmId: vmInstance.id, vmName: vmInstance.name, accountId: vmInstance.accountId })
    .from(volumes)
    .innerJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
    .where(and(eq(volumes.poolId, poolId), inArray(volumes.path, names)));
  for (const { vmId, vmName, accountId } of rows) {
    await recordEvent(tx, {
      type: EVENTS.lostVolume.type,
      level: 'ERROR',
      description: `The root disk of VM ${vmName} is gone from its pool`,
      accountId,
      resourceType: 'VirtualMachine',
      resourceId: vmId,
    });
  }
}

/** One event for each pool. */
export async function reportRemoved(tx: Transaction, removed: readonly Orphan[]): Promise<void> {
  for (const orphans of grouped(removed, (orphan) => orphan.poolId)) {
    const { poolId } = orphans[0]!;
    const names = nameSome(orphans.map(({ fileName }) => fileName));
    await recordEvent(tx, {
      type: 'STORAGE.ORPHAN.REMOVE',
      level: 'INFO',
      description: `Files that counted for nothing were removed from pool ${await placeName(tx, poolId, false)}: ${names}`,
      resourceType: 'StoragePool',
      resourceId: poolId,
    });
  }
}
