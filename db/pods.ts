import { and, eq, isNull, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { cluster, dataCenter, hostPodRef } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

type PodRow = typeof hostPodRef.$inferSelect;

export type PodChanges = {
  [Name in 'name' | 'allocationState' | 'gateway' | 'netmask' | 'startIp' | 'endIp']?: PodRow[Name] | undefined;
};

const refuseTakenName = <Result>(name: string | undefined, work: () => Promise<Result>): Promise<Result> =>
  refuseTaken(
    'host_pod_ref_data_center_id_name_key',
    `A pod with name ${name} already exists in the zone. Please specify a different pod name.`,
    work,
  );

/**
 * @returns its id; undefined when there is no such zone
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one of the zone has the name
 */
export const createPod = (
  db: Database,
  caller: Caller,
  pod: PodChanges & { name: string; zoneId: string },
): Promise<string | undefined> =>
  refuseTakenName(pod.name, () =>
    db.transaction(async (tx) => {
      const { zoneId, ...values } = pod;
      const isZone = and(eq(dataCenter.id, zoneId), isNull(dataCenter.removed));
      const [zone] = await tx.select().from(dataCenter).where(isZone).for('key share');
      if (!zone) return undefined;
      const [row] = await tx
        .insert(hostPodRef)
        .values({ ...values, dataCenterId: zoneId })
        .returning();
      await note(tx, caller, row!, { type: 'POD.CREATE', what: `was made in zone ${zone.name}` });
      return row!.id;
    }),
  );

/**
 * @returns whether it is there
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one of the zone has the name
 */
export const changePod = (db: Database, caller: Caller, id: string, changes: PodChanges): Promise<boolean> =>
  refuseTakenName(changes.name, () =>
    db.transaction(async (tx) => {
      const pod = await lockPod(tx, id);
      if (!pod) return false;
      const set = withoutUndefined(changes);
      if (Object.keys(set).length === 0) return true;
      await tx.update(hostPodRef).set(set).where(eq(hostPodRef.id, id));
      await note(tx, caller, pod, { type: 'POD.EDIT', what: `was changed: ${JSON.stringify(set)}` });
      return true;
    }),
  );

/**
 * @returns whether it was there
 * @throws SlipwayError SLIPWAY_RESOURCE_IN_USE when it has clusters
 */
export const removePod = (db: Database, caller: Caller, id: string): Promise<boolean> =>
  db.transaction(async (tx) => {
    const pod = await lockPod(tx, id);
    if (!pod) return false;
    if ((await tx.$count(cluster, and(eq(cluster.podId, id), isNull(cluster.removed)))) > 0) {
      throw new SlipwayError(
        'SLIPWAY_RESOURCE_IN_USE',
        'The pod cannot be deleted because there are clusters in this pod',
      );
    }
    await tx
      .update(hostPodRef)
      .set({ removed: sql`now()` })
      .where(eq(hostPodRef.id, id));
    await note(tx, caller, pod, { type: 'POD.DELETE', what: 'was deleted' });
    return true;
  });

/** Whoever puts a cluster into the pod holds the row too, and so is seen or waits. */
async function lockPod(tx: Transaction, id: string): Promise<PodRow | undefined> {
  const isPresent = and(eq(hostPodRef.id, id), isNull(hostPodRef.removed));
  const [pod] = await tx.select().from(hostPodRef).where(isPresent).for('update');
  return pod;
}

const note = (tx: Transaction, caller: Caller, { id, name }: PodRow, { type, what }: { type: string; what: string }) =>
  audit(tx, caller, { type, description: `Pod ${name} ${what}`, resourceType: 'Pod', resourceId: id });
