import { and, eq, ne, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { host, vmInstance, type VmState } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { ownedBy } from './list-query.js';

export interface ConsolePlace {
  accountId: string;
  state: VmState;
  vmName: string;
  /** Where it runs, or ran last; null for a VM that has never been anywhere. */
  hostId: string | null;
  hostName: string | null;
  hostStatus: typeof host.$inferSelect.status | null;
  vncPasswordEncrypted: string | null;
}

/** Of a VM that the caller may work on; of an expunged one nothing is kept. */
export async function findConsole(db: Database, caller: Caller, vmId: string): Promise<ConsolePlace | undefined> {
  const [row] = await db
    .select({
      accountId: vmInstance.accountId,
      state: vmInstance.state,
      vmName: vmInstance.name,
      hostId: host.id,
      hostName: host.name,
      hostStatus: host.status,
      vncPasswordEncrypted: vmInstance.vncPasswordEncrypted,
    })
    .from(vmInstance)
    .leftJoin(host, eq(host.id, sql`coalesce(${vmInstance.hostId}, ${vmInstance.lastHostId})`))
    .where(and(eq(vmInstance.id, vmId), ne(vmInstance.state, 'Expunged'), ownedBy(caller, vmInstance.accountId)));
  return row;
}
