import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { PoolPlace } from '../shared/hosts.js';
import type { Transaction } from './client.js';
import { host, storagePool, storagePoolHostRef } from './schema/index.js';

/** Two hosts of the same pools that locked them in different orders would wait for each other. */
export const inOrder = <Pool extends Pick<PoolPlace, 'poolId'>>(pools: readonly Pool[]): Pool[] =>
  pools.toSorted((a, b) => a.poolId.localeCompare(b.poolId));

/**
 * Records that a host reaches a pool. One that nobody has made by createStoragePool becomes known by the first host to
 * say so: a shared one is that host's cluster's. What hosts of several clusters share, createStoragePool makes for the zone.
 *
 * @throws SlipwayError SLIPWAY_RESOURCE_STATE when it cannot be the same pool that others have
 */
export async function announcePool(tx: Transaction, hostId: string, { poolId, type, path }: PoolPlace): Promise<void> {
  const [self] = await tx.select().from(host).where(eq(host.id, hostId));
  if (!self) throw refusal(`Host ${hostId} is not known`);
  const { dataCenterId, podId, clusterId } = self;
  await tx
    .insert(storagePool)
    .values({
      id: poolId,
      name: type === 'Filesystem' ? await ownPoolName(tx, self.name, poolId) : `shared-${poolId}`,
      dataCenterId,
      podId,
      clusterId,
      poolType: type,
      scope: type === 'Filesystem' ? 'HOST' : 'CLUSTER',
    })
    // Of several at once PostgreSQL may find the name taken before the id, whichever it was asked to go by.
    .onConflictDoNothing();
  const [pool] = await tx.select().from(storagePool).where(eq(storagePool.id, poolId)).for('update');
  if (!pool) {
    throw refusal(
      `Another pool has the name that pool ${poolId} of ${self.name} would get: give that one another name, or try again`,
    );
  }
  if (pool.removed !== null) throw refusal(`Pool ${poolId} was removed: take it out of ${self.name}'s host.json`);
  if (pool.poolType !== type)
    throw refusal(`Pool ${pool.name} is a ${pool.poolType}, and ${self.name} has it as ${type}`);
  if (pool.dataCenterId !== dataCenterId) throw refusal(`Pool ${pool.name} is in another zone than ${self.name}`);
  const isOthers = pool.hostAddress !== null && pool.hostAddress !== hostId;
  if (pool.scope === 'HOST' && (isOthers || (await hasAnotherHost(tx, poolId, hostId)))) {
    throw refusal(`Pool ${pool.name} is another host's own, and not shared with ${self.name}`);
  }
  if (pool.scope === 'CLUSTER' && pool.clusterId !== clusterId) {
    throw refusal(
      `Pool ${pool.name} is for the hosts of another cluster than ${self.name} is in: take it out of its host.json, or ` +
        'make it anew for the zone with createStoragePool scope=ZONE',
    );
  }
  await tx
    .insert(storagePoolHostRef)
    .values({ poolId, hostId, localPath: path })
    .onConflictDoUpdate({
      target: [storagePoolHostRef.poolId, storagePoolHostRef.hostId],
      set: { localPath: path },
      setWhere: sql`${storagePoolHostRef.localPath} <> ${path}`,
    });
}

/** Short for the one pool that most hosts have. */
async function ownPoolName(tx: Transaction, hostName: string, poolId: string): Promise<string> {
  const name = `${hostName}-pool`;
  const isTaken = and(eq(storagePool.name, name), isNull(storagePool.removed), ne(storagePool.id, poolId));
  const [other] = await tx.select({ id: storagePool.id }).from(storagePool).where(isTaken);
  return other ? `${name}-${poolId}` : name;
}

async function hasAnotherHost(tx: Transaction, poolId: string, hostId: string): Promise<boolean> {
  const [other] = await tx
    .select({ hostId: host.id })
    .from(storagePoolHostRef)
    .innerJoin(host, eq(host.id, storagePoolHostRef.hostId))
    .where(and(eq(storagePoolHostRef.poolId, poolId), ne(host.id, hostId), isNull(host.removed)))
    .limit(1);
  return other !== undefined;
}

const refusal = (message: string): SlipwayError => new SlipwayError('SLIPWAY_RESOURCE_STATE', message);
