import { and, eq, isNull, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { zoneDeleted } from './require-zone.js';
import { dataCenter, networks, nics, vmInstance } from './schema/index.js';
import { holdAccount } from './hold-account.js';
import type { Caller } from './reads/find-caller.js';

type NetworkRow = typeof networks.$inferSelect;

/**
 * The network of a zone that a VM gets when nobody names one. Made when the zone has none yet: a zone is whatever has
 * a row, whoever made it.
 */
export async function userNetworkOf(db: Pick<Database, 'select' | 'insert'>, zoneId: string): Promise<string> {
  const find = () =>
    db
      .select({ id: networks.id })
      .from(networks)
      .where(and(eq(networks.dataCenterId, zoneId), eq(networks.guestType, 'User'), isNull(networks.removed)));
  const [found] = await find();
  if (found) return found.id;
  await db
    .insert(networks)
    .values({ name: 'User', displayText: 'Behind the address of the host', guestType: 'User', dataCenterId: zoneId })
    .onConflictDoNothing();
  const [made] = await find();
  return made!.id;
}

export interface NewNetwork {
  name: string;
  displayText: string;
  zoneId: string;
  /** For everybody when null. */
  accountId: string | null;
  /** Untagged when null. */
  vlan: number | null;
  /** Another network of the zone may have the VLAN already. */
  mayOverlap: boolean;
}

/**
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another network of the zone has the VLAN, SLIPWAY_RESOURCE_STATE when
 *   the zone was deleted
 */
export async function createNetwork(db: Database, caller: Caller, network: NewNetwork): Promise<string> {
  const { name, displayText, zoneId, accountId, vlan, mayOverlap } = network;
  return db.transaction(async (tx) => {
    // Networks of a zone are made one at a time: two that are made at once would not see each other's VLAN.
    const isZone = and(eq(dataCenter.id, zoneId), isNull(dataCenter.removed));
    const [zone] = await tx.select().from(dataCenter).where(isZone).for('no key update');
    if (!zone) throw zoneDeleted();
    if (accountId !== null) await holdAccount(tx, accountId);
    if (vlan !== null && !mayOverlap) {
      const [other] = await tx
        .select({ name: networks.name })
        .from(networks)
        .where(and(eq(networks.dataCenterId, zoneId), eq(networks.vlan, vlan), isNull(networks.removed)))
        .limit(1);
      if (other) {
        throw new SlipwayError(
          'SLIPWAY_PARAMETER_INVALID',
          `Network with vlan ${vlan} already exists or overlaps with other network vlans in the zone: ${other.name}`,
        );
      }
    }
    const [row] = await tx
      .insert(networks)
      .values({ name, displayText, guestType: 'L2', dataCenterId: zoneId, accountId, vlan })
      .returning();
    await note(tx, caller, row!, { type: 'NETWORK.CREATE', what: 'was made' });
    return row!.id;
  });
}

/** @returns whether it is there */
export async function renameNetwork(
  tx: Transaction,
  caller: Caller,
  { id, ...names }: { id: string; name?: string; displayText?: string },
): Promise<boolean> {
  const network = await lockNetwork(tx, id);
  if (!network) return false;
  const { name = network.name, displayText = network.displayText } = names;
  await tx.update(networks).set({ name, displayText }).where(eq(networks.id, id));
  await note(tx, caller, network, { type: 'NETWORK.UPDATE', what: `is called ${name}` });
  return true;
}

/**
 * @returns whether it was there
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when a VM uses it, or when it is what VMs of the zone get by themselves
 */
export async function removeNetwork(tx: Transaction, caller: Caller, id: string): Promise<boolean> {
  const network = await lockNetwork(tx, id);
  if (!network) return false;
  if (network.guestType === 'User') {
    throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Network ${network.name} is the default of its zone, and stays`);
  }
  const [user] = await tx
    .select({ name: vmInstance.name })
    .from(nics)
    .innerJoin(vmInstance, eq(vmInstance.id, nics.instanceId))
    .where(and(eq(nics.networkId, id), isNull(nics.removed)))
    .limit(1);
  if (user) {
    throw new SlipwayError(
      'SLIPWAY_RESOURCE_STATE',
      `Network ${network.name} can't be deleted: it has user vms, ${user.name} among them; expunge them first`,
    );
  }
  await tx
    .update(networks)
    .set({ removed: sql`now()` })
    .where(eq(networks.id, id));
  await note(tx, caller, network, { type: 'NETWORK.DELETE', what: 'was deleted' });
  return true;
}

/** Whoever gives a VM an interface in it holds the row too (`insertNics`), and so is seen or waits. */
async function lockNetwork(tx: Transaction, id: string): Promise<NetworkRow | undefined> {
  const [row] = await tx
    .select()
    .from(networks)
    .where(and(eq(networks.id, id), isNull(networks.removed)))
    .for('update');
  return row;
}

const note = (tx: Transaction, caller: Caller, network: NetworkRow, { type, what }: { type: string; what: string }) =>
  audit(
    tx,
    { accountId: network.accountId ?? caller.accountId, userId: caller.userId },
    { type, description: `Network ${network.name} ${what}`, resourceType: 'Network', resourceId: network.id },
  );
