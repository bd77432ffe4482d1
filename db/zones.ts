import { and, eq, inArray, isNull, ne, notInArray, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import { userNetworkOf } from './networks.js';
import type { Caller } from './reads/find-caller.js';
import {
  configurationScoped,
  dataCenter,
  directDownloadCertificate,
  hostPodRef,
  networks,
  storagePool,
  templateStoreRef,
  vmInstance,
  vmTemplate,
} from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

type ZoneRow = typeof dataCenter.$inferSelect;

/** What an operator says of a zone; `null` takes it back. */
export type ZoneChanges = {
  [
    Name in
      | 'name'
      | 'allocationState'
      | 'dns1'
      | 'dns2'
      | 'ip6Dns1'
      | 'ip6Dns2'
      | 'internalDns1'
      | 'internalDns2'
      | 'guestNetworkCidr'
      | 'domain'
      | 'sortKey'
  ]?: ZoneRow[Name] | undefined;
};

const refuseTakenName = <Result>(work: () => Promise<Result>): Promise<Result> =>
  refuseTaken('data_center_name_key', 'A zone with that name already exists. Please specify a unique zone name.', work);

/**
 * With the network that VMs get there when nobody names one.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name
 */
export const createZone = (db: Database, caller: Caller, zone: ZoneChanges & { name: string }): Promise<string> =>
  refuseTakenName(() =>
    db.transaction(async (tx) => {
      const [row] = await tx.insert(dataCenter).values(zone).returning();
      await userNetworkOf(tx, row!.id);
      await note(tx, caller, row!, { type: 'ZONE.CREATE', what: 'was made' });
      return row!.id;
    }),
  );

/**
 * @returns whether it is there
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name
 */
export const changeZone = (db: Database, caller: Caller, id: string, changes: ZoneChanges): Promise<boolean> =>
  refuseTakenName(() =>
    db.transaction(async (tx) => {
      const zone = await lockZone(tx, id);
      if (!zone) return false;
      const set = withoutUndefined(changes);
      if (Object.keys(set).length === 0) return true;
      await tx.update(dataCenter).set(set).where(eq(dataCenter.id, id));
      await note(tx, caller, zone, { type: 'ZONE.EDIT', what: `was changed: ${JSON.stringify(set)}` });
      return true;
    }),
  );

/**
 * With its certificates and settings, and with the templates that no other zone has.
 *
 * @returns whether it was there
 * @throws SlipwayError SLIPWAY_RESOURCE_IN_USE when something is in it
 */
export const removeZone = (db: Database, caller: Caller, id: string): Promise<boolean> =>
  db.transaction(async (tx) => {
    const zone = await lockZone(tx, id);
    if (!zone) return false;
    await requireEmpty(tx, id);
    await tx
      .update(networks)
      .set({ removed: sql`now()` })
      .where(and(eq(networks.dataCenterId, id), isNull(networks.removed)));
    await tx.delete(directDownloadCertificate).where(eq(directDownloadCertificate.zoneId, id));
    await tx.delete(configurationScoped).where(eq(configurationScoped.zoneId, id));
    await takeTemplates(tx, id);
    await tx
      .update(dataCenter)
      .set({ removed: sql`now()` })
      .where(eq(dataCenter.id, id));
    await note(tx, caller, zone, { type: 'ZONE.DELETE', what: 'was deleted' });
    return true;
  });

async function requireEmpty(tx: Transaction, zoneId: string): Promise<void> {
  const contents = {
    pods: tx.$count(hostPodRef, and(eq(hostPodRef.dataCenterId, zoneId), isNull(hostPodRef.removed))),
    'storage pools': tx.$count(storagePool, and(eq(storagePool.dataCenterId, zoneId), isNull(storagePool.removed))),
    'virtual machines': tx.$count(
      vmInstance,
      and(eq(vmInstance.dataCenterId, zoneId), ne(vmInstance.state, 'Expunged')),
    ),
    networks: tx.$count(
      networks,
      and(eq(networks.dataCenterId, zoneId), ne(networks.guestType, 'User'), isNull(networks.removed)),
    ),
  };
  for (const [what, count] of Object.entries(contents)) {
    if ((await count) === 0) continue;
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_IN_USE',
      `The zone cannot be deleted because there are ${what} in this zone`,
    );
  }
}

/** A template that no zone has is as good as deleted. */
async function takeTemplates(tx: Transaction, zoneId: string): Promise<void> {
  const isHere = and(eq(templateStoreRef.dataCenterId, zoneId), eq(templateStoreRef.state, 'Ready'));
  // Before its rows of zones, as whoever deletes one has it, and in one order: else both would wait for each other.
  await tx
    .select({ id: vmTemplate.id })
    .from(vmTemplate)
    .where(inArray(vmTemplate.id, tx.select({ id: templateStoreRef.templateId }).from(templateStoreRef).where(isHere)))
    .orderBy(vmTemplate.id)
    .for('no key update');
  const taken = await tx
    .update(templateStoreRef)
    .set({ state: 'Destroyed' })
    .where(isHere)
    .returning({ templateId: templateStoreRef.templateId });
  if (taken.length === 0) return;
  const elsewhere = tx
    .select({ id: templateStoreRef.templateId })
    .from(templateStoreRef)
    .where(eq(templateStoreRef.state, 'Ready'));
  await tx
    .update(vmTemplate)
    .set({ state: 'Inactive', removed: sql`now()` })
    .where(
      and(
        inArray(
          vmTemplate.id,
          taken.map(({ templateId }) => templateId),
        ),
        eq(vmTemplate.state, 'Active'),
        notInArray(vmTemplate.id, elsewhere),
      ),
    );
}

/** Whoever puts something into the zone holds the row too, and so is seen or waits. */
async function lockZone(tx: Transaction, id: string): Promise<ZoneRow | undefined> {
  const isPresent = and(eq(dataCenter.id, id), isNull(dataCenter.removed));
  const [zone] = await tx.select().from(dataCenter).where(isPresent).for('update');
  return zone;
}

const note = (tx: Transaction, caller: Caller, { id, name }: ZoneRow, { type, what }: { type: string; what: string }) =>
  audit(tx, caller, { type, description: `Zone ${name} ${what}`, resourceType: 'Zone', resourceId: id });
