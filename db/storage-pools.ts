import { and, eq, inArray, isNotNull, isNull, not, notInArray, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { PoolType } from '../shared/hosts.js';
import { audit } from './audit.js';
import { holdsCompute } from './claim-sql.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import { markExpunged } from './mark-expunged.js';
import type { Caller } from './reads/find-caller.js';
import {
  capacityClaim,
  cleanupDebt,
  cluster,
  configurationScoped,
  dataCenter,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  vmInstance,
  volumes,
} from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

type PoolRow = typeof storagePool.$inferSelect;

export interface NewStoragePool {
  name: string;
  zoneId: string;
  /** Of a pool that is not the zone's; with its pod. */
  place?: { podId: string; clusterId: string };
  scope: PoolRow['scope'];
  type: PoolType;
  /** Server of a NetworkFilesystem; id of the only host of a Filesystem. */
  hostAddress: string | null;
  /** On that server, or on each host. */
  path: string;
  tags: string[];
}

const refuseTakenName = <Result>(name: string | undefined, work: () => Promise<Result>): Promise<Result> =>
  refuseTaken('storage_pool_name_key', `There is a pool with the name ${name}`, work);

/**
 * It is of use once a host says that it reaches it: see `announcePool`.
 *
 * @returns its id; undefined when there is no such zone, or no such cluster in its pod and zone
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name, or is there already
 */
export async function createStoragePool(
  db: Database,
  caller: Caller,
  { name, zoneId, place, scope, type, hostAddress, path, tags }: NewStoragePool,
): Promise<string | undefined> {
  const refuse = <Result>(work: () => Promise<Result>): Promise<Result> =>
    refuseTaken('storage_pool_export_key', `Storage pool ${hostAddress}${path} is already in use in the zone`, () =>
      refuseTaken('storage_pool_cluster_id_path_key', `Storage pool ${path} is already in use in the cluster`, () =>
        refuseTakenName(name, work),
      ),
    );
  return refuse(() =>
    db.transaction(async (tx) => {
      if (!(await isPlace(tx, zoneId, place))) return undefined;
      const values = { name, dataCenterId: zoneId, ...place, scope, poolType: type, hostAddress, path, tags };
      const [row] = await tx.insert(storagePool).values(values).returning();
      await note(tx, caller, row!, { type: 'STORAGE.POOL.CREATE', what: 'was made' });
      return row!.id;
    }),
  );
}

/** Locked, so that it is not removed meanwhile. */
async function isPlace(tx: Transaction, zoneId: string, place: NewStoragePool['place']): Promise<boolean> {
  const isZone = and(eq(dataCenter.id, zoneId), isNull(dataCenter.removed));
  const [zone] = await tx.select({ id: dataCenter.id }).from(dataCenter).where(isZone).for('key share');
  if (!zone || !place) return zone !== undefined;
  const isCluster = and(eq(cluster.id, place.clusterId), eq(cluster.podId, place.podId), isNull(cluster.removed));
  const [home] = await tx
    .select({ id: cluster.id })
    .from(cluster)
    .where(and(isCluster, eq(cluster.dataCenterId, zoneId)))
    .for('key share');
  return home !== undefined;
}

export interface StoragePoolChanges {
  name?: string | undefined;
  tags?: string[] | undefined;
  /** Whether it takes new disks and templates. */
  isEnabled?: boolean | undefined;
}

/**
 * @returns false when there is no such pool
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name, SLIPWAY_RESOURCE_STATE when it is in
 *   maintenance and is to be enabled or disabled
 */
export const changeStoragePool = (
  db: Database,
  caller: Caller,
  id: string,
  { name, tags, isEnabled }: StoragePoolChanges,
): Promise<boolean> =>
  refuseTakenName(name, () =>
    db.transaction(async (tx) => {
      const self = await lockPool(tx, id);
      if (!self) return false;
      if (isEnabled !== undefined && self.status !== 'Up' && self.status !== 'Disabled') {
        const verb = isEnabled ? 'enabled' : 'disabled';
        throw new SlipwayError(
          'SLIPWAY_RESOURCE_STATE',
          `Primary storage ${self.name} cannot be ${verb}. Storage pool state: ${self.status}`,
        );
      }
      const status = isEnabled === undefined ? undefined : isEnabled ? ('Up' as const) : ('Disabled' as const);
      const set = withoutUndefined({ name, tags, status });
      if (Object.keys(set).length === 0) return true;
      await tx.update(storagePool).set(set).where(eq(storagePool.id, id));
      await note(tx, caller, self, { type: 'STORAGE.POOL.UPDATE', what: `was changed: ${JSON.stringify(set)}` });
      return true;
    }),
  );

/**
 * Forgets a pool in Maintenance, with its copies of templates. Files stay, and whoever mounts it elsewhere finds them.
 *
 * @param isForced also with disks of VMs that are Destroyed, in Error or Expunged: they are given up with it
 * @returns false when there is no such pool
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it is not in Maintenance, SLIPWAY_RESOURCE_IN_USE when there are disks
 *   on it
 */
export const removeStoragePool = (
  db: Database,
  caller: Caller,
  { id, isForced }: { id: string; isForced: boolean },
): Promise<boolean> =>
  db.transaction(async (tx) => {
    // First: whoever works on a VM has its row, and waits for the pool's.
    if (isForced) await giveUpEnded(tx, caller, id);
    const self = await lockPool(tx, id);
    if (!self) return false;
    if (self.status !== 'Maintenance') {
      throw new SlipwayError(
        'SLIPWAY_RESOURCE_STATE',
        'Unable to delete storage due to it is not in Maintenance state',
      );
    }
    await requireNoDisks(tx, self);
    // Disks that another one took the place of: with the pool their files are gone for Slipway.
    await tx
      .update(volumes)
      .set({ state: 'Expunged', path: null, templateSpoolRefId: null, reservedBytes: 0, hostId: null })
      .where(and(eq(volumes.poolId, id), isNotNull(volumes.removed)));
    await tx.delete(templateSpoolRef).where(eq(templateSpoolRef.poolId, id));
    await tx.delete(storagePoolHostRef).where(eq(storagePoolHostRef.poolId, id));
    await tx.delete(configurationScoped).where(eq(configurationScoped.poolId, id));
    await tx
      .update(storagePool)
      .set({ status: 'Removed', removed: sql`now()`, templateBytes: 0, allocatedBytes: 0 })
      .where(eq(storagePool.id, id));
    await note(tx, caller, self, { type: 'STORAGE.POOL.DELETE', what: 'was deleted' });
    return true;
  });

/**
 * VMs that have ended are expunged without their files, and hosts owe the removal of none. What may still run is not
 * given up: a host that comes back has to end it.
 */
async function giveUpEnded(tx: Transaction, caller: Caller, poolId: string): Promise<void> {
  const computing = tx
    .select({ id: capacityClaim.vmId })
    .from(capacityClaim)
    .where(and(eq(capacityClaim.poolId, poolId), holdsCompute));
  const ofPool = tx.select({ id: volumes.instanceId }).from(volumes).where(eq(volumes.poolId, poolId));
  const isGivenUp = and(inArray(vmInstance.id, ofPool), notInArray(vmInstance.id, computing));
  const ended = await tx
    .select({ id: vmInstance.id, state: vmInstance.state })
    .from(vmInstance)
    .where(and(isGivenUp, inArray(vmInstance.state, ['Destroyed', 'Error'])))
    .orderBy(vmInstance.id)
    .for('update');
  for (const { id, state } of ended) {
    const vm = await markExpunged(tx, id, state === 'Error' ? 'Error' : 'Destroyed');
    if (!vm) continue;
    await audit(
      tx,
      { accountId: vm.accountId, userId: caller.userId },
      {
        type: 'VM.EXPUNGE',
        description: `VM ${vm.name} is Expunged: the pool of its disk was deleted`,
        resourceType: 'VirtualMachine',
        resourceId: id,
      },
    );
  }
  const expunged = tx.select({ id: vmInstance.id }).from(vmInstance).where(eq(vmInstance.state, 'Expunged'));
  const forgotten = await tx
    .delete(capacityClaim)
    .where(and(eq(capacityClaim.poolId, poolId), inArray(capacityClaim.vmId, expunged), not(holdsCompute)))
    .returning();
  for (const { vmId, token } of forgotten) {
    await tx.delete(cleanupDebt).where(and(eq(cleanupDebt.vmId, vmId), eq(cleanupDebt.token, token)));
  }
}

/** A claim stands for a disk, or for what a host has yet to undo there. */
async function requireNoDisks(tx: Transaction, { id, name }: PoolRow): Promise<void> {
  const found = await tx
    .selectDistinct({ name: vmInstance.name })
    .from(vmInstance)
    .leftJoin(capacityClaim, and(eq(capacityClaim.vmId, vmInstance.id), eq(capacityClaim.poolId, id)))
    .leftJoin(volumes, and(eq(volumes.instanceId, vmInstance.id), eq(volumes.poolId, id), isNull(volumes.removed)))
    .where(sql`(${capacityClaim.vmId} is not null or (${volumes.id} is not null and ${volumes.state} <> 'Expunged'))`)
    .limit(10);
  if (found.length === 0) return;
  const names = found.map((vm) => vm.name).join(', ');
  throw new SlipwayError(
    'SLIPWAY_RESOURCE_IN_USE',
    `Cannot delete pool ${name} as there are associated disks for this pool, of virtual machines: ${names}`,
  );
}

async function lockPool(tx: Transaction, id: string): Promise<PoolRow | undefined> {
  const isPresent = and(eq(storagePool.id, id), isNull(storagePool.removed));
  const [self] = await tx.select().from(storagePool).where(isPresent).for('update');
  return self;
}

const note = (tx: Transaction, caller: Caller, { id, name }: PoolRow, { type, what }: { type: string; what: string }) =>
  audit(tx, caller, { type, description: `Pool ${name} ${what}`, resourceType: 'StoragePool', resourceId: id });
