import { and, asc, eq, exists, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { cluster, dataCenter, host, hostPodRef, storagePool, storagePoolHostRef } from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

/** As lists show it: `Initialized` is a pool that would be Up if a host could use it. */
export const SHOWN_POOL_STATUSES = [
  'Initialized',
  'Up',
  'Disabled',
  'PrepareForMaintenance',
  'ErrorInMaintenance',
  'Maintenance',
] as const;

export interface StoragePoolFilter {
  id?: string;
  name?: string;
  zoneId?: string;
  podId?: string;
  clusterId?: string;
  /** Pools that this host reaches. */
  hostId?: string;
  scope?: 'HOST' | 'CLUSTER' | 'ZONE';
  status?: (typeof SHOWN_POOL_STATUSES)[number];
  /** Of the server of a NetworkFilesystem. */
  ipAddress?: string;
  path?: string;
  keyword?: string;
}

/** In a subquery drizzle would leave the table's name out, and the column would be another table's. */
const poolId = sql`${storagePool}.${sql.identifier('id')}`;

const ofHosts = sql`${storagePoolHostRef} ref
  inner join ${host} reader on reader.id = ref.host_id and reader.removed is null
  where ref.pool_id = ${poolId}`;

const shownStatus = sql<(typeof SHOWN_POOL_STATUSES)[number]>`case
  when ${storagePool.status} = 'Up' and not exists (select 1 from ${ofHosts} and ref.problem is null)
  then 'Initialized' else ${storagePool.status} end`;

/** What an operator has said; else where hosts have it, if that is one place. */
const shownPath = sql<string | null>`coalesce(
  ${storagePool.path},
  (select min(ref.local_path) from ${ofHosts} having min(ref.local_path) = max(ref.local_path))
)`;

const select = (db: Database) =>
  db
    .select({
      pool: storagePool,
      shownStatus,
      shownPath,
      zoneName: dataCenter.name,
      podName: hostPodRef.name,
      clusterName: cluster.name,
      total,
    })
    .from(storagePool)
    .innerJoin(dataCenter, eq(dataCenter.id, storagePool.dataCenterId))
    .leftJoin(hostPodRef, eq(hostPodRef.id, storagePool.podId))
    .leftJoin(cluster, eq(cluster.id, storagePool.clusterId));

export type ListedStoragePool = Omit<Awaited<ReturnType<typeof select>>[number], 'total'>;

export async function findStoragePool(db: Database, id: string): Promise<ListedStoragePool | undefined> {
  const [row] = await select(db).where(and(eq(storagePool.id, id), isNull(storagePool.removed)));
  return row;
}

export interface PoolProblem {
  poolId: string;
  hostId: string;
  hostName: string;
  problem: string;
}

/** Hosts that cannot use one of the pools, each with its reason. */
export async function listPoolProblems(db: Database, poolIds: string[]): Promise<PoolProblem[]> {
  if (poolIds.length === 0) return [];
  return db
    .select({ poolId: storagePoolHostRef.poolId, hostId: host.id, hostName: host.name, problem: problemText })
    .from(storagePoolHostRef)
    .innerJoin(host, and(eq(host.id, storagePoolHostRef.hostId), isNull(host.removed)))
    .where(and(inArray(storagePoolHostRef.poolId, poolIds), isNotNull(storagePoolHostRef.problem)))
    .orderBy(asc(host.name));
}

const problemText = sql<string>`${storagePoolHostRef.problem}`;

export const listStoragePools = (db: Database, filter: StoragePoolFilter, page: Page) =>
  listed(
    select(db)
      .where(
        and(
          isNull(storagePool.removed),
          given(filter.id, (id) => eq(storagePool.id, id)),
          given(filter.name, (name) => isText(storagePool.name, name)),
          given(filter.zoneId, (id) => eq(storagePool.dataCenterId, id)),
          given(filter.podId, (id) => eq(storagePool.podId, id)),
          given(filter.clusterId, (id) => eq(storagePool.clusterId, id)),
          given(filter.scope, (scope) => eq(storagePool.scope, scope)),
          given(filter.status, (status) => eq(shownStatus, status)),
          given(filter.ipAddress, (address) => isText(storagePool.hostAddress, address)),
          given(filter.path, (path) => eq(shownPath, path)),
          given(filter.keyword, (text) => contains(storagePool.name, text)),
          given(filter.hostId, (hostId) =>
            exists(
              db
                .select({ poolId: storagePoolHostRef.poolId })
                .from(storagePoolHostRef)
                .where(and(eq(storagePoolHostRef.poolId, storagePool.id), eq(storagePoolHostRef.hostId, hostId))),
            ),
          ),
        ),
      )
      .orderBy(asc(storagePool.name), asc(storagePool.id)),
    page,
  );
