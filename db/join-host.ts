import { randomUUID } from 'node:crypto';
import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { openDatabase } from './client.js';
import { cluster, host, storagePool, storagePoolHostRef } from './schema/index.js';

export interface JoinHostInput {
  name: string;
  clusterId: string;
  /** Base64 X25519 key. */
  publicKey: string;
  poolPath: string;
}

export interface JoinedHost {
  hostId: string;
  poolId: string;
}

/**
 * Adds a KVM host with one pool of its own, or gives the ids of the host that has this name. It is Connecting until
 * its host worker says hello.
 */
export async function joinHost(databaseUrl: string, input: JoinHostInput): Promise<JoinedHost> {
  const { db, close } = openDatabase(databaseUrl, { applicationName: 'slipway-join-host', max: 1 });
  try {
    return await db.transaction(async (tx) => {
      const [found] = await tx
        .select({ hostId: host.id, poolId: storagePoolHostRef.poolId })
        .from(host)
        .innerJoin(storagePoolHostRef, eq(storagePoolHostRef.hostId, host.id))
        .where(and(eq(host.name, input.name), isNull(host.removed)));
      if (found) {
        await tx.update(host).set({ publicKey: input.publicKey }).where(eq(host.id, found.hostId));
        return found;
      }
      const [home] = await tx.select().from(cluster).where(eq(cluster.id, input.clusterId));
      if (!home) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is no cluster ${input.clusterId}`);
      const place = { dataCenterId: home.dataCenterId, podId: home.podId, clusterId: home.id };
      const joined = { hostId: randomUUID(), poolId: randomUUID() };
      await tx.insert(host).values({ ...place, id: joined.hostId, name: input.name, publicKey: input.publicKey });
      await tx.insert(storagePool).values({
        ...place,
        id: joined.poolId,
        name: `${input.name}-pool`,
        poolType: 'Filesystem',
        scope: 'HOST',
      });
      await tx.insert(storagePoolHostRef).values({ ...joined, localPath: input.poolPath });
      return joined;
    });
  } finally {
    await close();
  }
}
