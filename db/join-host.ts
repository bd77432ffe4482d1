import { and, eq, isNotNull, isNull, ne, type SQL } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { PoolPlace } from '../shared/hosts.js';
import { announcePool, inOrder } from './announce-pool.js';
import { openDatabase, type Transaction } from './client.js';
import { requireClusterArch } from './require-cluster-arch.js';
import { cluster, host } from './schema/index.js';

export interface JoinHostInput {
  name: string;
  /** Of a machine that was a host before. */
  hostId?: string | undefined;
  clusterId: string;
  /** Base64 X25519 key. */
  publicKey: string;
  /** As the kernel names it; the host's first hello says it again. */
  arch?: string | undefined;
  /** Pools that it reaches, its own and shared ones. */
  pools: PoolPlace[];
}

type HostRow = typeof host.$inferSelect;

/**
 * Adds a KVM host with its pools, or gives the id of the host that it was before, or that has this name. It is Connecting
 * until its host worker says hello. For whoever has the database; a host of another machine joins with a token.
 *
 * @throws SlipwayError SLIPWAY_HOST_REMOVED when the one that it was before was deleted
 */
export async function joinHost(databaseUrl: string, input: JoinHostInput): Promise<{ hostId: string }> {
  const { db, close } = openDatabase(databaseUrl, { applicationName: 'slipway-join-host', max: 1 });
  try {
    return await db.transaction(async (tx) => {
      await refuseRemoved(tx, input);
      const known = await findPresent(tx, input);
      // One that was revoked stays so: to start it once more must not be all that it takes to be trusted again.
      const isTrusted = and(eq(host.id, known?.id ?? input.clusterId), ne(host.status, 'Revoked'));
      if (known) await tx.update(host).set({ publicKey: input.publicKey }).where(isTrusted);
      const hostId = known?.id ?? (await addHost(tx, input));
      for (const pool of inOrder(input.pools)) await announcePool(tx, hostId, pool);
      return { hostId };
    });
  } finally {
    await close();
  }
}

/** Its own pools were removed with it, and its name may be that of another one by now, whose key it would replace. */
async function refuseRemoved(tx: Transaction, { hostId, name }: JoinHostInput): Promise<void> {
  if (hostId === undefined) return;
  const isRemoved = and(eq(host.id, hostId), isNotNull(host.removed));
  if ((await tx.$count(host, isRemoved)) === 0) return;
  throw new SlipwayError('SLIPWAY_HOST_REMOVED', `Host ${name} was deleted`);
}

/** By its id where it has one: somebody may have renamed it since. */
export const findPresent = async (
  tx: Transaction,
  { hostId, name }: Pick<JoinHostInput, 'hostId' | 'name'>,
): Promise<HostRow | undefined> =>
  (hostId === undefined ? undefined : await lockPresent(tx, eq(host.id, hostId))) ??
  lockPresent(tx, eq(host.name, name));

async function lockPresent(tx: Transaction, isIt: SQL): Promise<HostRow | undefined> {
  const [row] = await tx
    .select()
    .from(host)
    .where(and(isIt, isNull(host.removed)))
    .for('no key update');
  return row;
}

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID without such a cluster, SLIPWAY_RESOURCE_STATE when it is for others */
export async function addHost(
  tx: Transaction,
  { name, clusterId, publicKey, arch }: Omit<JoinHostInput, 'pools' | 'hostId'>,
): Promise<string> {
  const [home] = await tx
    .select()
    .from(cluster)
    .where(and(eq(cluster.id, clusterId), isNull(cluster.removed)));
  if (!home) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is no cluster ${clusterId}`);
  if (arch !== undefined) await requireClusterArch(tx, { clusterId, name, arch });
  const { dataCenterId, podId } = home;
  const [joined] = await tx.insert(host).values({ dataCenterId, podId, clusterId, name, publicKey, arch }).returning();
  return joined!.id;
}
