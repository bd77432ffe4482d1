import { audit } from './audit.js';
import type { Database } from './client.js';
import type { Caller } from './reads/find-caller.js';
import { resourceLimit } from './schema/index.js';
import type { ResourceType } from '../shared/resource-types.js';

/** @param limit `max` in the unit of the type, -1 for no limit */
export const setResourceLimit = (
  db: Database,
  caller: Caller,
  owner: { kind: 'account' | 'domain'; id: string },
  { type, max }: { type: ResourceType; max: number },
): Promise<void> =>
  db.transaction(async (tx) => {
    const [column, target] =
      owner.kind === 'account'
        ? ([{ accountId: owner.id }, [resourceLimit.accountId, resourceLimit.type]] as const)
        : ([{ domainId: owner.id }, [resourceLimit.domainId, resourceLimit.type]] as const);
    await tx
      .insert(resourceLimit)
      .values({ ...column, type, max })
      .onConflictDoUpdate({ target: [...target], set: { max } });
    await audit(
      tx,
      { accountId: owner.kind === 'account' ? owner.id : caller.accountId, userId: caller.userId },
      {
        type: 'RESOURCE.LIMIT.UPDATE',
        description: `The limit of ${type} of ${owner.kind} ${owner.id} is ${max}`,
        resourceType: owner.kind === 'account' ? 'Account' : 'Domain',
        resourceId: owner.id,
      },
    );
  });
