import { and, eq, isNull, ne, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import { lockTokensOf } from './host-join-tokens.js';
import type { Caller } from './reads/find-caller.js';
import { cluster, configurationScoped, host, hostJoinToken, hostPodRef, storagePool } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

type ClusterRow = typeof cluster.$inferSelect;

export type ClusterChanges = { [Name in 'name' | 'allocationState' | 'arch']?: ClusterRow[Name] | undefined };

const refuseTakenName = <Result>(name: string | undefined, work: () => Promise<Result>): Promise<Result> =>
  refuseTaken('cluster_pod_id_name_key', `There is a cluster with the name ${name} in the pod`, work);

/**
 * @returns its id; undefined when the zone has no such pod
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one of the pod has the name
 */
export const createCluster = (
  db: Database,
  caller: Caller,
  added: ClusterChanges & { name: string; zoneId: string; podId: string },
): Promise<string | undefined> =>
  refuseTakenName(added.name, () =>
    db.transaction(async (tx) => {
      const { zoneId, podId, ...values } = added;
      const isPod = and(eq(hostPodRef.id, podId), eq(hostPodRef.dataCenterId, zoneId), isNull(hostPodRef.removed));
      const [pod] = await tx.select().from(hostPodRef).where(isPod).for('key share');
      if (!pod) return undefined;
      const [row] = await tx
        .insert(cluster)
        .values({ ...values, dataCenterId: zoneId, podId })
        .returning();
      await note(tx, caller, row!, { type: 'CLUSTER.CREATE', what: `was made in pod ${pod.name}` });
      return row!.id;
    }),
  );

/**
 * @returns whether it is there
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one of the pod has the name, SLIPWAY_RESOURCE_STATE when its
 *   hosts are of another architecture
 */
export const changeCluster = (db: Database, caller: Caller, id: string, changes: ClusterChanges): Promise<boolean> =>
  refuseTakenName(changes.name, () =>
    db.transaction(async (tx) => {
      const self = await lockCluster(tx, id);
      if (!self) return false;
      const set = withoutUndefined(changes);
      if (Object.keys(set).length === 0) return true;
      if (set.arch) await requireArch(tx, self, set.arch);
      await tx.update(cluster).set(set).where(eq(cluster.id, id));
      await note(tx, caller, self, { type: 'CLUSTER.EDIT', what: `was changed: ${JSON.stringify(set)}` });
      return true;
    }),
  );

async function requireArch(tx: Transaction, { id, name }: ClusterRow, arch: string): Promise<void> {
  const [other] = await tx
    .select({ name: host.name, arch: host.arch })
    .from(host)
    .where(and(eq(host.clusterId, id), isNull(host.removed), ne(host.arch, arch)))
    .limit(1);
  if (!other) return;
  throw new SlipwayError('SLIPWAY_RESOURCE_STATE', `Cluster ${name} has host ${other.name}, which is ${other.arch}`);
}

/**
 * With its settings, and the tokens that hosts would join it with.
 *
 * @returns whether it was there
 * @throws SlipwayError SLIPWAY_RESOURCE_IN_USE when it has hosts or pools
 */
export const removeCluster = (db: Database, caller: Caller, id: string): Promise<boolean> =>
  db.transaction(async (tx) => {
    await lockTokensOf(tx, { clusterId: id });
    const self = await lockCluster(tx, id);
    if (!self) return false;
    const contents = {
      hosts: tx.$count(host, and(eq(host.clusterId, id), isNull(host.removed))),
      'storage pools': tx.$count(storagePool, and(eq(storagePool.clusterId, id), isNull(storagePool.removed))),
    };
    for (const [what, count] of Object.entries(contents)) {
      if ((await count) === 0) continue;
      throw new SlipwayError(
        'SLIPWAY_RESOURCE_IN_USE',
        `Cluster ${self.name} cannot be removed. Cluster still has ${what}`,
      );
    }
    await tx.delete(hostJoinToken).where(eq(hostJoinToken.clusterId, id));
    await tx.delete(configurationScoped).where(eq(configurationScoped.clusterId, id));
    await tx
      .update(cluster)
      .set({ removed: sql`now()` })
      .where(eq(cluster.id, id));
    await note(tx, caller, self, { type: 'CLUSTER.DELETE', what: 'was deleted' });
    return true;
  });

/** A host that joins, or a pool that is made, refers to the row, and so is seen or waits. */
async function lockCluster(tx: Transaction, id: string): Promise<ClusterRow | undefined> {
  const isPresent = and(eq(cluster.id, id), isNull(cluster.removed));
  const [self] = await tx.select().from(cluster).where(isPresent).for('update');
  return self;
}

const note = (
  tx: Transaction,
  caller: Caller,
  { id, name }: ClusterRow,
  { type, what }: { type: string; what: string },
) => audit(tx, caller, { type, description: `Cluster ${name} ${what}`, resourceType: 'Cluster', resourceId: id });
