import { and, asc, eq, isNotNull, isNull, or, type SQL } from 'drizzle-orm';
import type { NetworkOffering } from '../../shared/network-offerings.js';
import type { Database } from '../client.js';
import type { Tag } from '../resource-tags.js';
import { account, dataCenter, domain, networks } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import {
  contains,
  given,
  inScope,
  isText,
  type Listed,
  listed,
  ownedBy,
  type Page,
  type Scope,
  total,
} from './list-query.js';
import { hasAnyTag, tagsOf } from './list-tags.js';
import { ownerColumns } from './owner-columns.js';

export interface NetworkFilter {
  id?: string;
  name?: string;
  zoneId?: string;
  guestType?: 'L2' | 'User';
  offering?: NetworkOffering;
  vlan?: number;
  scope: Scope;
  /** Not those for everybody, which belong to nobody. */
  isOwnedOnly: boolean;
  tags?: readonly Tag[];
  keyword?: string;
}

/** What a caller may put a VM into: what is theirs and what is for everybody, a root admin all. */
export function isNetworkUsable(caller: Caller): SQL | undefined {
  const isOwn = ownedBy(caller, networks.accountId);
  return isOwn && or(isOwn, isNull(networks.accountId));
}

function isOfScope({ scope, isOwnedOnly }: NetworkFilter): SQL | undefined {
  const isMeant = inScope(scope, networks.accountId);
  return isOwnedOnly ? isMeant : isMeant && or(isMeant, isNull(networks.accountId));
}

const isOf = ({ guestType, specifyVlan }: NetworkOffering): SQL | undefined =>
  and(eq(networks.guestType, guestType), specifyVlan ? isNotNull(networks.vlan) : isNull(networks.vlan));

const select = (db: Database) =>
  db
    .select({
      network: networks,
      zoneName: dataCenter.name,
      ...ownerColumns,
      tags: tagsOf('Network', networks.id),
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
          isOfScope(filter),
          given(filter.vlan, (vlan) => eq(networks.vlan, vlan)),
          given(filter.tags, (tags) => hasAnyTag(db, 'Network', networks.id, tags)),
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
