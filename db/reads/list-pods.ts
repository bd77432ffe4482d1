import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { dataCenter, hostPodRef } from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface PodFilter {
  id?: string;
  name?: string;
  zoneId?: string;
  allocationState?: 'Enabled' | 'Disabled';
  keyword?: string;
}

const select = (db: Database) =>
  db
    .select({ pod: hostPodRef, zoneName: dataCenter.name, total })
    .from(hostPodRef)
    .innerJoin(dataCenter, eq(dataCenter.id, hostPodRef.dataCenterId));

export type ListedPod = Omit<Awaited<ReturnType<typeof select>>[number], 'total'>;

export async function findPod(db: Database, id: string): Promise<ListedPod | undefined> {
  const [row] = await select(db).where(and(eq(hostPodRef.id, id), isNull(hostPodRef.removed)));
  return row;
}

export const listPods = (db: Database, filter: PodFilter, page: Page) =>
  listed(
    select(db)
      .where(
        and(
          isNull(hostPodRef.removed),
          given(filter.id, (id) => eq(hostPodRef.id, id)),
          given(filter.name, (name) => isText(hostPodRef.name, name)),
          given(filter.zoneId, (id) => eq(hostPodRef.dataCenterId, id)),
          given(filter.allocationState, (state) => eq(hostPodRef.allocationState, state)),
          given(filter.keyword, (text) => contains(hostPodRef.name, text)),
        ),
      )
      .orderBy(asc(hostPodRef.name), asc(hostPodRef.id)),
    page,
  );
