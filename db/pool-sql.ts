import { eq, inArray, type SQL } from 'drizzle-orm';
import type { Database } from './client.js';
import { storagePool } from './schema/index.js';

/** Nothing runs from the pool, or is about to any more, and nothing new is written to it. */
const MAINTAINED = ['PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance'] as const;

export const isMaintained: SQL = inArray(storagePool.status, MAINTAINED);

/**
 * Whether work may begin on a pool. Ask it after a row that refers to the pool was inserted: maintenance that begins
 * later waits for that row, and then sees it.
 */
export async function isOpen(db: Pick<Database, 'select'>, poolId: string): Promise<boolean> {
  const [pool] = await db.select({ status: storagePool.status }).from(storagePool).where(eq(storagePool.id, poolId));
  return !MAINTAINED.some((status) => status === pool?.status);
}
