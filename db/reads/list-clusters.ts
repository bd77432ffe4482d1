import { and, asc, eq, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { cluster, dataCenter, hostPodRef } from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface ClusterFilter {
  id?: string;
  name?: string;
  zoneId?: string;
  podId?: string;
  hypervisor?: string;
  arch?: string;
  allocationState?: 'Enabled' | 'Disabled';
  keyword?: string;
}

const select = (db: Database) =>
  db
    .select({ cluster, zoneName: dataCenter.name, podName: hostPodRef.name, total })
    .from(cluster)
    .innerJoin(dataCenter, eq(dataCenter.id, cluster.dataCenterId))
    .innerJoin(hostPodRef, eq(hostPodRef.id, cluster.podId));

export type ListedCluster = Omit<Awaited<ReturnType<typeof select>>[number], 'total'>;

export async function findCluster(db: Database, id: string): Promise<ListedCluster | undefined> {
  const [row] = await select(db).where(and(eq(cluster.id, id), isNull(cluster.removed)));
  return row;
}

export const listClusters = (db: Database, filter: ClusterFilter, page: Page) =>
  listed(
    select(db)
      .where(
        and(
          isNull(cluster.removed),
          given(filter.id, (id) => eq(cluster.id, id)),
          given(filter.name, (name) => isText(cluster.name, name)),
          given(filter.zoneId, (id) => eq(cluster.dataCenterId, id)),
          given(filter.podId, (id) => eq(cluster.podId, id)),
          given(filter.hypervisor, (type) => isText(cluster.hypervisorType, type)),
          given(filter.arch, (arch) => isText(cluster.arch, arch)),
          given(filter.allocationState, (state) => eq(cluster.allocationState, state)),
          given(filter.keyword, (text) => contains(cluster.name, text)),
        ),
      )
      .orderBy(asc(cluster.name), asc(cluster.id)),
    page,
  );
