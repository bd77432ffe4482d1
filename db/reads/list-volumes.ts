import { and, asc, eq, exists, inArray, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import {
  account,
  dataCenter,
  diskOffering,
  domain,
  serviceOffering,
  storagePool,
  vmInstance,
  vmTemplate,
  volumes,
} from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Listed, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';
import type { Tag } from '../resource-tags.js';
import { hasAnyTag, tagsOf } from './list-tags.js';
import { ownerColumns } from './owner-columns.js';

export interface VolumeFilter {
  ids?: string[];
  name?: string;
  type?: 'ROOT' | 'DATADISK';
  state?: 'Allocated' | 'Ready';
  vmId?: string;
  zoneId?: string;
  poolId?: string;
  diskOfferingId?: string;
  serviceOfferingId?: string;
  tags?: readonly Tag[];
  scope: Scope;
  keyword?: string;
}

const select = (db: Database, ids: string[]) =>
  db
    .select({
      volume: volumes,
      ...ownerColumns,
      vm: vmInstance,
      zoneName: dataCenter.name,
      offering: serviceOffering,
      diskOffering,
      template: {
        name: vmTemplate.name,
        displayText: vmTemplate.displayText,
        format: vmTemplate.format,
        sizeBytes: vmTemplate.sizeBytes,
      },
      poolName: storagePool.name,
      tags: tagsOf('Volume', volumes.id),
    })
    .from(volumes)
    .innerJoin(account, eq(account.id, volumes.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .innerJoin(vmInstance, eq(vmInstance.id, volumes.instanceId))
    .innerJoin(dataCenter, eq(dataCenter.id, vmInstance.dataCenterId))
    .innerJoin(serviceOffering, eq(serviceOffering.id, vmInstance.serviceOfferingId))
    .leftJoin(diskOffering, eq(diskOffering.id, volumes.diskOfferingId))
    .leftJoin(vmTemplate, eq(vmTemplate.id, volumes.templateId))
    .leftJoin(storagePool, eq(storagePool.id, volumes.poolId))
    .where(isAnyOf(volumes.id, ids));

export type ListedVolume = Awaited<ReturnType<typeof select>>[number];

/** Disks that are their VM's: not one that is still to take another's place, nor one whose place was taken. */
export const listVolumes = (
  db: Database,
  caller: Caller,
  filter: VolumeFilter,
  page: Page,
): Promise<Listed<ListedVolume>> => {
  const ofVm = (condition: SQL) =>
    exists(
      db
        .select({ id: vmInstance.id })
        .from(vmInstance)
        .where(and(eq(vmInstance.id, volumes.instanceId), condition)),
    );
  return listedPage(
    db,
    {
      table: volumes,
      id: volumes.id,
      accountId: volumes.accountId,
      caller,
      scope: filter.scope,
      // Written out as the indexes have it.
      isCounted: sql`${volumes.state} <> 'Expunged' and ${volumes.removed} is null`,
      filters: [
        given(filter.ids, (ids) => inArray(volumes.id, ids)),
        given(filter.name, (name) => isText(volumes.name, name)),
        given(filter.type, (type) => eq(volumes.volumeType, type)),
        given(filter.state, (state) => eq(volumes.state, state)),
        given(filter.vmId, (id) => eq(volumes.instanceId, id)),
        given(filter.poolId, (id) => eq(volumes.poolId, id)),
        given(filter.diskOfferingId, (id) => eq(volumes.diskOfferingId, id)),
        given(filter.zoneId, (id) => ofVm(eq(vmInstance.dataCenterId, id))),
        given(filter.serviceOfferingId, (id) => ofVm(eq(vmInstance.serviceOfferingId, id))),
        given(filter.tags, (tags) => hasAnyTag(db, 'Volume', volumes.id, tags)),
        given(filter.keyword, (text) => contains(volumes.name, text)),
      ],
      orderBy: [asc(volumes.created), asc(volumes.id)],
    },
    page,
    (ids) => select(db, ids),
    ({ volume }) => volume.id,
  );
};
