import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { PoolPlace } from '../shared/hosts.js';
import { announcePool } from './announce-pool.js';
import { openDatabase } from './client.js';
import { cluster, host } from './schema/index.js';

export interface JoinHostInput {
  name: string;
  clusterId: string;
  /** Base64 X25519 key. */
  publicKey: string;
  /** Pools that it reaches, its own and shared ones. */
  pools: PoolPlace[];
}

/**
 * Adds a KVM host with its pools, or gives the id of the host that has this name. It is Connecting until its host worker
 * says hello.
 */
export async function joinHost(databaseUrl: string, input: JoinHostInput): Promise<{ hostId: string }> {
  const { name, clusterId, publicKey, pools } = input;
  const { db, close } = openDatabase(databaseUrl, { applicationName: 'slipway-join-host', max: 1 });
  try {
    return await db.transaction(async (tx) => {
      const [home] = await tx.select().from(cluster).where(eq(cluster.id, clusterId));
      if (!home) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is no cluster ${clusterId}`);
      const isNamed = and(eq(host.name, name), isNull(host.removed));
      const [known] = await tx.update(host).set({ publicKey }).where(isNamed).returning({ id: host.id });
      const [joined] = known
        ? [known]
        : await tx
            .insert(host)
            .values({ dataCenterId: home.dataCenterId, podId: home.podId, clusterId, name, publicKey })
            .returning({ id: host.id });
      for (const pool of pools) await announcePool(tx, joined!.id, pool);
      return { hostId: joined!.id };
    });
  } finally {
    await close();
  }
}
