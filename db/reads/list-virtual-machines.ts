import { and, asc, eq, inArray, ne, notInArray, or } from 'drizzle-orm';
import type { Database } from '../client.js';
import {
  account,
  dataCenter,
  domain,
  guestOs,
  host,
  serviceOffering,
  vmInstance,
  type VmState,
  vmTemplate,
} from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isText, type Listed, listed, ownedBy, type Page, total } from './list-query.js';

export interface VirtualMachineFilter {
  ids?: string[];
  /** Of the VM, in part. */
  name?: string;
  state?: VmState | 'Present';
  zoneId?: string;
  hostId?: string;
  templateId?: string;
  serviceOfferingId?: string;
  account?: string;
  domainId?: string;
  arch?: string;
  keyword?: string;
}

const columns = {
  vm: vmInstance,
  accountName: account.accountName,
  domainId: domain.id,
  domainName: domain.name,
  domainPath: domain.path,
  zoneName: dataCenter.name,
  hostName: host.name,
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
};

const select = (db: Database) =>
  db
    .select({ ...columns, total })
    .from(vmInstance)
    .innerJoin(account, eq(account.id, vmInstance.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .innerJoin(dataCenter, eq(dataCenter.id, vmInstance.dataCenterId))
    .innerJoin(vmTemplate, eq(vmTemplate.id, vmInstance.templateId))
    .innerJoin(serviceOffering, eq(serviceOffering.id, vmInstance.serviceOfferingId))
    .leftJoin(guestOs, eq(guestOs.id, vmTemplate.guestOsId))
    .leftJoin(host, eq(host.id, vmInstance.hostId));

export type ListedVirtualMachine = Awaited<ReturnType<typeof select>>[number];

/** What the caller may see. A VM that was just destroyed is listed, an expunged one never. */
export const listVirtualMachines = (
  db: Database,
  caller: Caller,
  filter: VirtualMachineFilter,
  page: Page,
): Promise<Listed<ListedVirtualMachine>> =>
  listed(
    select(db)
      .where(
        and(
          ownedBy(caller, vmInstance.accountId),
          ne(vmInstance.state, 'Expunged'),
          given(filter.ids, (ids) => inArray(vmInstance.id, ids)),
          given(filter.name, (name) => contains(vmInstance.name, name)),
          given(filter.state, (state) =>
            state === 'Present'
              ? notInArray(vmInstance.state, ['Destroyed', 'Expunging'])
              : eq(vmInstance.state, state),
          ),
          given(filter.zoneId, (id) => eq(vmInstance.dataCenterId, id)),
          given(filter.hostId, (id) => eq(vmInstance.hostId, id)),
          given(filter.templateId, (id) => eq(vmInstance.templateId, id)),
          given(filter.serviceOfferingId, (id) => eq(vmInstance.serviceOfferingId, id)),
          given(filter.account, (name) => isText(account.accountName, name)),
          given(filter.domainId, (id) => eq(domain.id, id)),
          given(filter.arch, (arch) => isText(vmTemplate.arch, arch)),
          given(filter.keyword, (text) => or(contains(vmInstance.name, text), contains(vmInstance.displayName, text))),
        ),
      )
      .orderBy(asc(vmInstance.created), asc(vmInstance.id)),
    page,
  );

/** In any state, whoever owns it: for the result of a job that the caller may see. */
export async function findVirtualMachine(db: Database, id: string): Promise<ListedVirtualMachine | undefined> {
  const [row] = await select(db).where(eq(vmInstance.id, id));
  return row;
}
