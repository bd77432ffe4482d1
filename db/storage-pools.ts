import { and, eq, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { isUniqueViolation } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { event, storagePool } from './schema/index.js';

export interface StoragePoolChanges {
  name?: string | undefined;
  tags?: string[] | undefined;
  /** Whether it takes new disks and templates. */
  isEnabled?: boolean | undefined;
}

/**
 * @returns false when there is no such pool
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another one has the name
 */
export async function changeStoragePool(
  db: Database,
  caller: Caller,
  id: string,
  { name, tags, isEnabled }: StoragePoolChanges,
): Promise<boolean> {
  const status = isEnabled === undefined ? undefined : isEnabled ? 'Up' : 'Disabled';
  const set = Object.fromEntries(Object.entries({ name, tags, status }).filter(([, value]) => value !== undefined));
  try {
    return await db.transaction(async (tx) => {
      const isPresent = and(eq(storagePool.id, id), isNull(storagePool.removed));
      const [self] = await tx.select().from(storagePool).where(isPresent).for('update');
      if (!self) return false;
      if (Object.keys(set).length === 0) return true;
      await tx.update(storagePool).set(set).where(eq(storagePool.id, id));
      await tx.insert(event).values({
        type: 'STORAGE.POOL.UPDATE',
        level: 'INFO',
        description: `Pool ${self.name} was changed: ${JSON.stringify(set)}`,
        accountId: caller.accountId,
        userId: caller.userId,
        resourceType: 'StoragePool',
        resourceId: id,
      });
      return true;
    });
  } catch (error) {
    if (!isUniqueViolation(error, 'storage_pool_name_key')) throw error;
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is a pool with the name ${name}`);
  }
}
