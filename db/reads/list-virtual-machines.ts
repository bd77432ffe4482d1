import { and, arrayContains, asc, eq, exists, inArray, isNull, notInArray, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Database } from '../client.js';
import {
  account,
  dataCenter,
  diskOffering,
  domain,
  guestOs,
  host,
  networks,
  nics,
  serviceOffering,
  vmInstance,
  type VmState,
  vmTemplate,
  volumes,
} from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Listed, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';
import type { Tag } from '../resource-tags.js';
import { hasAnyTag, tagsOf } from './list-tags.js';
import { ownerColumns } from './owner-columns.js';

export interface VirtualMachineFilter {
  ids?: string[];
  /** Of the VM, in part. */
  name?: string;
  state?: VmState | 'Present';
  zoneId?: string;
  hostId?: string;
  clusterId?: string;
  podId?: string;
  /** Of the root disk. */
  poolId?: string;
  templateId?: string;
  serviceOfferingId?: string;
  scope: Scope;
  arch?: string;
  networkId?: string;
  isoId?: string;
  keyPair?: string;
  tags?: readonly Tag[];
  keyword?: string;
}

const iso = alias(vmTemplate, 'iso');

export interface ListedNic {
  id: string;
  networkId: string;
  networkName: string;
  guestType: 'L2' | 'User';
  vlan: number | null;
  macAddress: string;
  deviceId: number;
}

/** In one query with the VM: a page of 500 VMs is not 501 queries. */
const nicsOfVm = sql<ListedNic[]>`(
  select coalesce(json_agg(json_build_object(
    'id', ${nics.id}, 'networkId', ${networks.id}, 'networkName', ${networks.name}, 'guestType', ${networks.guestType},
    'vlan', ${networks.vlan}, 'macAddress', ${nics.macAddress}, 'deviceId', ${nics.deviceId}
  ) order by ${nics.deviceId}), '[]'::json)
  from ${nics} join ${networks} on ${networks.id} = ${nics.networkId}
  where ${nics.instanceId} = ${vmInstance.id} and ${nics.removed} is null
)`;

const columns = {
  vm: vmInstance,
  ...ownerColumns,
  zoneName: dataCenter.name,
  hostName: host.name,
  hostStatus: host.status,
  template: {
    name: vmTemplate.name,
    displayText: vmTemplate.displayText,
    format: vmTemplate.format,
    type: vmTemplate.type,
    arch: vmTemplate.arch,
  },
  guestOsId: guestOs.id,
  guestOsName: guestOs.displayName,
  offering: serviceOffering,
  iso: { name: iso.name, displayText: iso.displayText },
  diskOffering: { id: diskOffering.id, name: diskOffering.name },
  nics: nicsOfVm,
  tags: tagsOf('UserVm', vmInstance.id),
};

const ORDER = [asc(vmInstance.created), asc(vmInstance.id)];

const select = (db: Database) =>
  db
    .select(columns)
    .from(vmInstance)
    .innerJoin(account, eq(account.id, vmInstance.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .innerJoin(dataCenter, eq(dataCenter.id, vmInstance.dataCenterId))
    .innerJoin(vmTemplate, eq(vmTemplate.id, vmInstance.templateId))
    .innerJoin(serviceOffering, eq(serviceOffering.id, vmInstance.serviceOfferingId))
    .leftJoin(guestOs, eq(guestOs.id, vmTemplate.guestOsId))
    .leftJoin(host, eq(host.id, vmInstance.hostId))
    .leftJoin(iso, eq(iso.id, vmInstance.isoId))
    .leftJoin(
      volumes,
      and(eq(volumes.instanceId, vmInstance.id), eq(volumes.volumeType, 'ROOT'), isNull(volumes.removed)),
    )
    .leftJoin(diskOffering, eq(diskOffering.id, volumes.diskOfferingId));

/** A VM that is on no host was on its last one. */
const wasOnHost = (db: Database, isMeant: SQL): SQL =>
  inArray(
    sql`coalesce(${vmInstance.hostId}, ${vmInstance.lastHostId})`,
    db.select({ id: host.id }).from(host).where(isMeant),
  );

const isOnPool = (db: Database, poolId: string): SQL =>
  inArray(
    vmInstance.id,
    db
      .select({ id: volumes.instanceId })
      .from(volumes)
      .where(and(eq(volumes.poolId, poolId), isNull(volumes.removed))),
  );

const isInNetwork = (db: Database, networkId: string) =>
  exists(
    db
      .select({ id: nics.id })
      .from(nics)
      .where(and(eq(nics.instanceId, vmInstance.id), eq(nics.networkId, networkId), isNull(nics.removed))),
  );

export type ListedVirtualMachine = Awaited<ReturnType<typeof select>>[number];

/** By columns of the VM alone, so that finding a page, and counting all, touches nothing else. */
const filters = (db: Database, filter: VirtualMachineFilter): (SQL | undefined)[] => [
  given(filter.ids, (ids) => inArray(vmInstance.id, ids)),
  given(filter.name, (name) => contains(vmInstance.name, name)),
  given(filter.state, (state) =>
    state === 'Present' ? notInArray(vmInstance.state, ['Destroyed', 'Expunging']) : eq(vmInstance.state, state),
  ),
  given(filter.zoneId, (id) => eq(vmInstance.dataCenterId, id)),
  given(filter.hostId, (id) => eq(vmInstance.hostId, id)),
  given(filter.clusterId, (id) => wasOnHost(db, eq(host.clusterId, id))),
  given(filter.podId, (id) => wasOnHost(db, eq(host.podId, id))),
  given(filter.poolId, (id) => isOnPool(db, id)),
  given(filter.templateId, (id) => eq(vmInstance.templateId, id)),
  given(filter.serviceOfferingId, (id) => eq(vmInstance.serviceOfferingId, id)),
  given(filter.arch, (arch) =>
    inArray(
      vmInstance.templateId,
      db.select({ id: vmTemplate.id }).from(vmTemplate).where(isText(vmTemplate.arch, arch)),
    ),
  ),
  given(filter.networkId, (id) => isInNetwork(db, id)),
  given(filter.isoId, (id) => eq(vmInstance.isoId, id)),
  given(filter.keyPair, (name) => arrayContains(vmInstance.keyPairNames, [name])),
  given(filter.tags, (tags) => hasAnyTag(db, 'UserVm', vmInstance.id, tags)),
  given(filter.keyword, (text) => or(contains(vmInstance.name, text), contains(vmInstance.displayName, text))),
];

/** What the caller may see. A VM that was just destroyed is listed, an expunged one never. */
export async function listVirtualMachines(
  db: Database,
  caller: Caller,
  filter: VirtualMachineFilter,
  page: Page,
): Promise<Listed<ListedVirtualMachine>> {
  const { count, rows } = await listedPage(
    db,
    {
      table: vmInstance,
      id: vmInstance.id,
      accountId: vmInstance.accountId,
      caller,
      scope: filter.scope,
      // Written out as the indexes have it.
      isCounted: sql`${vmInstance.state} <> 'Expunged'`,
      filters: filters(db, filter),
      orderBy: ORDER,
    },
    page,
    (ids) => findVirtualMachines(db, ids),
    ({ vm }) => vm.id,
  );
  // One may have been expunged since.
  return { count, rows: rows.filter(({ vm }) => vm.state !== 'Expunged') };
}

/** In any state, whoever owns it: for the result of a job that the caller may see. */
export async function findVirtualMachine(db: Database, id: string): Promise<ListedVirtualMachine | undefined> {
  const [row] = await findVirtualMachines(db, [id]);
  return row;
}

export const findVirtualMachines = (db: Database, ids: string[]): Promise<ListedVirtualMachine[]> =>
  ids.length === 0
    ? Promise.resolve([])
    : select(db)
        .where(isAnyOf(vmInstance.id, ids))
        .orderBy(...ORDER)
        .then((rows) => rows);
