import { and, asc, eq, isNull, inArray } from 'drizzle-orm';
import type { Database } from '../client.js';
import {
  cluster,
  dataCenter,
  host,
  type HOST_RESOURCE_STATES,
  type HOST_STATUSES,
  hostPodRef,
} from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface HostFilter {
  id?: string;
  name?: string;
  zoneId?: string;
  podId?: string;
  clusterId?: string;
  type?: string;
  state?: (typeof HOST_STATUSES)[number];
  resourceState?: (typeof HOST_RESOURCE_STATES)[number];
  arch?: string;
  keyword?: string;
}

/** Removed ones do not count. */
export async function hasHost(db: Database, id: string): Promise<boolean> {
  const rows = await db
    .select({ id: host.id })
    .from(host)
    .where(and(eq(host.id, id), isNull(host.removed)));
  return rows.length > 0;
}

const select = (db: Database) =>
  db
    .select({ host, zoneName: dataCenter.name, podName: hostPodRef.name, clusterName: cluster.name, total })
    .from(host)
    .innerJoin(dataCenter, eq(dataCenter.id, host.dataCenterId))
    .innerJoin(hostPodRef, eq(hostPodRef.id, host.podId))
    .innerJoin(cluster, eq(cluster.id, host.clusterId));

export type ListedHost = Omit<Awaited<ReturnType<typeof select>>[number], 'total'>;

export async function findHost(db: Database, id: string): Promise<ListedHost | undefined> {
  const [row] = await select(db).where(and(eq(host.id, id), isNull(host.removed)));
  return row;
}

/** Removed ones too. */
export const findHosts = (db: Database, ids: string[]): Promise<ListedHost[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : select(db)
        .where(inArray(host.id, ids))
        .then((rows) => rows);

export const listHosts = (db: Database, filter: HostFilter, page: Page) =>
  listed(
    select(db)
      .where(
        and(
          isNull(host.removed),
          given(filter.id, (id) => eq(host.id, id)),
          given(filter.name, (name) => isText(host.name, name)),
          given(filter.zoneId, (id) => eq(host.dataCenterId, id)),
          given(filter.podId, (id) => eq(host.podId, id)),
          given(filter.clusterId, (id) => eq(host.clusterId, id)),
          given(filter.type, (type) => isText(host.type, type)),
          given(filter.state, (state) => eq(host.status, state)),
          given(filter.resourceState, (state) => eq(host.resourceState, state)),
          given(filter.arch, (arch) => isText(host.arch, arch)),
          given(filter.keyword, (text) => contains(host.name, text)),
        ),
      )
      .orderBy(asc(host.name), asc(host.id)),
    page,
  );
