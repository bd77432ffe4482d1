import { and, asc, eq, isNotNull, isNull, or, type SQL } from 'drizzle-orm';
import type { NetworkOffering } from '../../shared/network-offerings.js';
import type { Database } from '../client.js';
import { account, dataCenter, domain, networks } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isText, type Listed, listed, type Page, total } from './list-query.js';

export interface NetworkFilter {
  id?: string;
  name?: string;
  zoneId?: string;
  guestType?: 'L2' | 'User';
  offering?: NetworkOffering;
  account?: string;
  domainId?: string;
  keyword?: string;
}

/** What a caller may put a VM into: their own and those of everybody, a root admin all. */
export const isNetworkUsable = (caller: Caller): SQL | undefined =>
  caller.role === 'Admin' ? undefined : or(eq(networks.accountId, caller.accountId), isNull(networks.accountId));

const isOf = ({ guestType, specifyVlan }: NetworkOffering): SQL | undefined =>
  and(eq(networks.guestType, guestType), specifyVlan ? isNotNull(networks.vlan) : isNull(networks.vlan));

const select = (db: Database) =>
  db
    .select({
      network: networks,
      zoneName: dataCenter.name,
      accountName: account.accountName,
      domainId: domain.id,
      domainName: domain.name,
      domainPath: domain.path,
      total,
    })
    .from(networks)
    .innerJoin(dataCenter, eq(dataCenter.id, networks.dataCenterId))
    .leftJoin(account, eq(account.id, networks.accountId))
    .leftJoin(domain, eq(domain.id, account.domainId));

export type ListedNetwork = Awaited<ReturnType<typeof select>>[number];

export const listNetworks = (
  db: Database,
  caller: Caller,
  filter: NetworkFilter,
  page: Page,
): Promise<Listed<ListedNetwork>> =>
  listed(
    select(db)
      .where(
        and(
          isNetworkUsable(caller),
          isNull(networks.removed),
          given(filter.id, (id) => eq(networks.id, id)),
          given(filter.name, (name) => isText(networks.name, name)),
          given(filter.zoneId, (id) => eq(networks.dataCenterId, id)),
          given(filter.guestType, (type) => eq(networks.guestType, type)),
          given(filter.offering, isOf),
          given(filter.account, (name) => isText(account.accountName, name)),
          given(filter.domainId, (id) => eq(domain.id, id)),
          given(filter.keyword, (text) => or(contains(networks.name, text), contains(networks.displayText, text))),
        ),
      )
      .orderBy(asc(networks.name), asc(networks.id)),
    page,
  );

/** Whoever owns it; none that was deleted. */
export async function findNetwork(db: Database, id: string): Promise<ListedNetwork | undefined> {
  const [row] = await select(db).where(and(eq(networks.id, id), isNull(networks.removed)));
  return row;
}

/** A network that the caller may put a VM into, if the settings let them. */
export async function findUsableNetwork(
  db: Database,
  caller: Caller,
  id: string,
): Promise<{ id: string; zoneId: string; guestType: 'L2' | 'User' } | undefined> {
  const [row] = await db
    .select({ id: networks.id, zoneId: networks.dataCenterId, guestType: networks.guestType })
    .from(networks)
    .where(and(eq(networks.id, id), isNull(networks.removed), isNetworkUsable(caller)));
  return row;
}
