import { and, eq, ne } from 'drizzle-orm';
import type { Database } from '../client.js';
import { vmInstance } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { ownedBy } from './list-query.js';

/** Of a VM that the caller may work on; of an expunged one nothing is kept. Null for one that was given none. */
export async function findUserData(
  db: Database,
  caller: Caller,
  vmId: string,
): Promise<{ userDataEncrypted: string | null } | undefined> {
  const [row] = await db
    .select({ userDataEncrypted: vmInstance.userDataEncrypted })
    .from(vmInstance)
    .where(and(eq(vmInstance.id, vmId), ne(vmInstance.state, 'Expunged'), ownedBy(caller, vmInstance.accountId)));
  return row;
}
