import { eq } from 'drizzle-orm';
import { storagePool, volumes } from '../../db/schema/index.js';
import type { TestDatabase } from './test-database.js';

/** Gives a VM a root disk on a pool of its own, in the database alone. */
export async function giveDisk({ db, seeded }: Pick<TestDatabase, 'db' | 'seeded'>, vmId: string): Promise<void> {
  const [pool] = await db
    .insert(storagePool)
    .values({ name: vmId, dataCenterId: seeded.zoneId, poolType: 'NetworkFilesystem', scope: 'ZONE' })
    .returning();
  await db.update(volumes).set({ state: 'Ready', path: 'disk', poolId: pool!.id }).where(eq(volumes.instanceId, vmId));
}
