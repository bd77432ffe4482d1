import { and, asc, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Database } from '../client.js';
import { type Tag, tagColumn, TAGGED_TYPES, type TaggedType } from '../resource-tags.js';
import { account, domain, resourceTags, vmTemplate } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Listed, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';
import { ownerColumns } from './owner-columns.js';

export interface ListedTag extends Tag {
  customer: string | null;
}

/** Tags of what a row is of, in one query with it. */
export const tagsOf = (type: TaggedType, id: PgColumn): SQL<ListedTag[]> => sql<ListedTag[]>`(
  select coalesce(json_agg(json_build_object(
    'key', ${resourceTags.key}, 'value', ${resourceTags.value}, 'customer', ${resourceTags.customer}
  ) order by ${resourceTags.key}), '[]'::json)
  from ${resourceTags} where ${tagColumn(type)} = ${id}
)`;

/** That what has the id has one of some tags: of several CloudStack asks for any. */
export const hasAnyTag = (db: Database, type: TaggedType, id: PgColumn, tags: readonly Tag[]): SQL =>
  inArray(
    id,
    db
      .select({ id: sql`${tagColumn(type)}` })
      .from(resourceTags)
      .where(or(...tags.map(({ key, value }) => and(eq(resourceTags.key, key), eq(resourceTags.value, value))))),
  );

export interface TagFilter {
  type?: TaggedType;
  resourceId?: string;
  key?: string;
  value?: string;
  customer?: string;
  scope: Scope;
  keyword?: string;
}

const isIso = sql<boolean>`coalesce(${vmTemplate.format} = 'ISO', false)`;

const select = (db: Database, ids: string[]) =>
  db
    .select({ tag: resourceTags, isIso, ...ownerColumns })
    .from(resourceTags)
    .leftJoin(account, eq(account.id, resourceTags.accountId))
    .leftJoin(domain, eq(domain.id, account.domainId))
    .leftJoin(vmTemplate, eq(vmTemplate.id, resourceTags.templateId))
    .where(isAnyOf(resourceTags.id, ids));

export type ListedResourceTag = Awaited<ReturnType<typeof select>>[number];

export const listTags = (
  db: Database,
  caller: Caller,
  filter: TagFilter,
  page: Page,
): Promise<Listed<ListedResourceTag>> => {
  const isOfImage = (type: TaggedType) =>
    type === 'Template' || type === 'ISO'
      ? inArray(
          resourceTags.templateId,
          db
            .select({ id: vmTemplate.id })
            .from(vmTemplate)
            .where(type === 'ISO' ? eq(vmTemplate.format, 'ISO') : sql`${vmTemplate.format} <> 'ISO'`),
        )
      : sql`${tagColumn(type)} is not null`;
  return listedPage(
    db,
    {
      table: resourceTags,
      id: resourceTags.id,
      accountId: resourceTags.accountId,
      caller,
      scope: filter.scope,
      isCounted: sql`true`,
      filters: [
        given(filter.type, isOfImage),
        given(filter.resourceId, (id) => or(...TAGGED_TYPES.map((type) => eq(tagColumn(type), id)))),
        given(filter.key, (key) => eq(resourceTags.key, key)),
        given(filter.value, (value) => eq(resourceTags.value, value)),
        given(filter.customer, (customer) => isText(resourceTags.customer, customer)),
        given(filter.keyword, (text) => or(contains(resourceTags.key, text), contains(resourceTags.value, text))),
      ],
      orderBy: [asc(resourceTags.created), asc(resourceTags.id)],
    },
    page,
    (ids) => select(db, ids),
    ({ tag }) => tag.id,
  );
};
