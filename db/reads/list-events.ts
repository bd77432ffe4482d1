import { and, desc, eq, gte, inArray, lte, or, sql, type SQL } from 'drizzle-orm';
import type { Database } from '../client.js';
import {
  account,
  directDownloadCertificate,
  domain,
  event,
  host,
  storagePool,
  user,
  vmInstance,
  vmTemplate,
} from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isText, listed, ownedBy, type Page, total } from './list-query.js';

export interface EventFilter {
  ids?: string[];
  type?: string;
  level?: 'INFO' | 'WARN' | 'ERROR';
  from?: Date;
  /** Inclusive. */
  to?: Date;
  isArchived?: boolean;
  resourceType?: string;
  resourceId?: string;
  account?: string;
  domainId?: string;
  keyword?: string;
}

/** A resource may be gone by now, and its name with it. */
const resourceName = sql<string | null>`case ${event.resourceType}
  when 'VirtualMachine' then (select ${vmInstance.name} from ${vmInstance} where ${vmInstance.id} = ${event.resourceId})
  when 'Template' then (select ${vmTemplate.name} from ${vmTemplate} where ${vmTemplate.id} = ${event.resourceId})
  when 'Iso' then (select ${vmTemplate.name} from ${vmTemplate} where ${vmTemplate.id} = ${event.resourceId})
  when 'Host' then (select ${host.name} from ${host} where ${host.id} = ${event.resourceId})
  when 'StoragePool' then (select ${storagePool.name} from ${storagePool} where ${storagePool.id} = ${event.resourceId})
  when 'DirectDownloadCertificate' then (select ${directDownloadCertificate.alias} from ${directDownloadCertificate} where ${directDownloadCertificate.id} = ${event.resourceId})
  end`;

/** The latest first. Those of nobody in particular, as of hosts, are for root admins. */
export const listEvents = (db: Database, caller: Caller, filter: EventFilter, page: Page) =>
  listed(
    db
      .select({
        event,
        resourceName,
        username: user.username,
        accountName: account.accountName,
        domainId: domain.id,
        domainName: domain.name,
        domainPath: domain.path,
        total,
      })
      .from(event)
      .leftJoin(user, eq(user.id, event.userId))
      .leftJoin(account, eq(account.id, event.accountId))
      .leftJoin(domain, eq(domain.id, account.domainId))
      .where(
        and(
          matching(caller, filter),
          eq(event.archived, filter.isArchived ?? false),
          given(filter.level, (level) => eq(event.level, level)),
          given(filter.resourceType, (type) => isText(event.resourceType, type)),
          given(filter.resourceId, (id) => eq(event.resourceId, id)),
          given(filter.account, (name) => eq(account.accountName, name)),
          given(filter.domainId, (id) => eq(account.domainId, id)),
          given(filter.keyword, (text) =>
            or(contains(event.type, text), contains(event.description, text), contains(event.level, text)),
          ),
        ),
      )
      .orderBy(desc(event.created), desc(event.id)),
    page,
  );

export type ListedEvent = Awaited<ReturnType<typeof listEvents>>['rows'][number];

/** What listing, archiving and deleting choose by. */
export const matching = (
  caller: Caller,
  { ids, type, from, to }: Pick<EventFilter, 'ids' | 'type' | 'from' | 'to'>,
): SQL | undefined =>
  and(
    ownedBy(caller, event.accountId),
    given(ids, (chosen) => inArray(event.id, chosen)),
    given(type, (name) => isText(event.type, name)),
    given(from, (time) => gte(event.created, time.toISOString())),
    given(to, (time) => lte(event.created, time.toISOString())),
  );
