import { and, eq, isNull } from 'drizzle-orm';
import { audit } from './audit.js';
import type { Database } from './client.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { storagePool } from './schema/index.js';
import { withoutUndefined } from './without-undefined.js';

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
  const status = isEnabled === undefined ? undefined : isEnabled ? ('Up' as const) : ('Disabled' as const);
  const set = withoutUndefined({ name, tags, status });
  return refuseTaken('storage_pool_name_key', `There is a pool with the name ${name}`, () =>
    db.transaction(async (tx) => {
      const isPresent = and(eq(storagePool.id, id), isNull(storagePool.removed));
      const [self] = await tx.select().from(storagePool).where(isPresent).for('update');
      if (!self) return false;
      if (Object.keys(set).length === 0) return true;
      await tx.update(storagePool).set(set).where(eq(storagePool.id, id));
      await audit(tx, caller, {
        type: 'STORAGE.POOL.UPDATE',
        description: `Pool ${self.name} was changed: ${JSON.stringify(set)}`,
        resourceType: 'StoragePool',
        resourceId: id,
      });
      return true;
    }),
  );
}
