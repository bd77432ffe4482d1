import { randomUUID } from 'node:crypto';
import type { Database } from '../../db/client.js';
import { cluster, dataCenter, hostPodRef } from '../../db/schema/index.js';

/** A zone beside the seeded one, with a cluster for hosts. */
export async function addZone(db: Database): Promise<{ zoneId: string; podId: string; clusterId: string }> {
  const name = `zone-${randomUUID()}`;
  const [zone] = await db.insert(dataCenter).values({ name }).returning();
  const place = { name, dataCenterId: zone!.id };
  const [pod] = await db.insert(hostPodRef).values(place).returning();
  const [added] = await db
    .insert(cluster)
    .values({ ...place, podId: pod!.id })
    .returning();
  return { zoneId: zone!.id, podId: pod!.id, clusterId: added!.id };
}
