import { desc, eq, gte, inArray, lte, or, sql, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from '../client.js';
import {
  account,
  directDownloadCertificate,
  diskOffering,
  domain,
  event,
  host,
  networks,
  serviceOffering,
  sshKeypairs,
  storagePool,
  user,
  vmInstance,
  vmTemplate,
} from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';
import { ownerColumns } from './owner-columns.js';

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
  scope: Scope;
  keyword?: string;
}

/** A kind of resource that events are of, by its `resourceType`. */
const named = (type: string, table: PgTable, id: PgColumn, name: PgColumn): SQL =>
  sql`when ${type} then (select ${name} from ${table} where ${id} = ${event.resourceId})`;

/** A resource may be gone by now, and its name with it. */
const resourceName = sql<string | null>`case ${event.resourceType} ${sql.join(
  [
    named('VirtualMachine', vmInstance, vmInstance.id, vmInstance.name),
    named('Template', vmTemplate, vmTemplate.id, vmTemplate.name),
    named('Iso', vmTemplate, vmTemplate.id, vmTemplate.name),
    named('Host', host, host.id, host.name),
    named('StoragePool', storagePool, storagePool.id, storagePool.name),
    named('Network', networks, networks.id, networks.name),
    named('ServiceOffering', serviceOffering, serviceOffering.id, serviceOffering.name),
    named('DiskOffering', diskOffering, diskOffering.id, diskOffering.name),
    named('SSHKeyPair', sshKeypairs, sshKeypairs.id, sshKeypairs.keypairName),
    named(
      'DirectDownloadCertificate',
      directDownloadCertificate,
      directDownloadCertificate.id,
      directDownloadCertificate.alias,
    ),
  ],
  sql` `,
)} end`;

const select = (db: Database, ids: string[]) =>
  db
    .select({ event, resourceName, username: user.username, ...ownerColumns })
    .from(event)
    .leftJoin(user, eq(user.id, event.userId))
    .leftJoin(account, eq(account.id, event.accountId))
    .leftJoin(domain, eq(domain.id, account.domainId))
    .where(isAnyOf(event.id, ids));

export type ListedEvent = Awaited<ReturnType<typeof select>>[number];

/** The latest first. Those of nobody in particular, as of hosts, are for root admins. */
export const listEvents = (db: Database, caller: Caller, filter: EventFilter, page: Page) =>
  listedPage(
    db,
    {
      table: event,
      id: event.id,
      accountId: event.accountId,
      caller,
      scope: filter.scope,
      // Written out as the indexes have it.
      isCounted: filter.isArchived ? undefined : sql`not ${event.archived}`,
      filters: [
        ...chosenBy(filter),
        filter.isArchived ? sql`${event.archived}` : undefined,
        given(filter.level, (level) => eq(event.level, level)),
        given(filter.resourceType, (type) => isText(event.resourceType, type)),
        given(filter.resourceId, (id) => eq(event.resourceId, id)),
        given(filter.keyword, (text) =>
          or(contains(event.type, text), contains(told(caller), text), contains(event.level, text)),
        ),
      ],
      orderBy: [desc(event.created), desc(event.id)],
    },
    page,
    (ids) => select(db, ids),
    ({ event: { id } }) => id,
  );

/** What nobody is shown must not be found either: a keyword would tell, letter by letter. */
const told = ({ role }: Caller): SQL =>
  role === 'Admin' ? sql`${event.description}` : sql`coalesce(${event.ownerDescription}, ${event.description})`;

/** What listing, archiving and deleting choose by. */
export const chosenBy = ({
  ids,
  type,
  from,
  to,
}: Pick<EventFilter, 'ids' | 'type' | 'from' | 'to'>): (SQL | undefined)[] => [
  given(ids, (some) => inArray(event.id, some)),
  given(type, (name) => isText(event.type, name)),
  given(from, (time) => gte(event.created, time.toISOString())),
  given(to, (time) => lte(event.created, time.toISOString())),
];
