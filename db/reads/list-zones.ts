import { and, asc, desc, eq, inArray, isNull, ne, type SQL } from 'drizzle-orm';
import type { Database } from '../client.js';
import { dataCenter, vmInstance } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface ZoneFilter {
  ids?: string[];
  name?: string;
  networkType?: 'Basic' | 'Advanced';
  keyword?: string;
  /** Only where it has a VM. */
  usedBy?: string;
  /** Whether small sort keys come first, and else large ones. */
  isAscending: boolean;
}

export type ZoneRow = typeof dataCenter.$inferSelect;

/** Others than a root admin see enabled zones only. */
export const listZones = (db: Database, caller: Caller, filter: ZoneFilter, page: Page) =>
  listed(
    db
      .select({ zone: dataCenter, total })
      .from(dataCenter)
      .where(
        and(
          isNull(dataCenter.removed),
          caller.role === 'Admin' ? undefined : eq(dataCenter.allocationState, 'Enabled'),
          given(filter.ids, (ids) => inArray(dataCenter.id, ids)),
          given(filter.name, (name) => isText(dataCenter.name, name)),
          given(filter.networkType, (type) => eq(dataCenter.networktype, type)),
          given(filter.usedBy, (accountId) => hasVirtualMachineOf(db, accountId)),
          given(filter.keyword, (text) => contains(dataCenter.name, text)),
        ),
      )
      .orderBy((filter.isAscending ? asc : desc)(dataCenter.sortKey), asc(dataCenter.name), asc(dataCenter.id)),
    page,
  );

const hasVirtualMachineOf = (db: Database, accountId: string): SQL =>
  inArray(
    dataCenter.id,
    db
      .select({ id: vmInstance.dataCenterId })
      .from(vmInstance)
      .where(and(eq(vmInstance.accountId, accountId), ne(vmInstance.state, 'Expunged'))),
  );

export async function findZone(db: Database, id: string): Promise<ZoneRow | undefined> {
  const [zone] = await db
    .select()
    .from(dataCenter)
    .where(and(eq(dataCenter.id, id), isNull(dataCenter.removed)));
  return zone;
}
