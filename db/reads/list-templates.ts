import { type SQL, and, asc, count, desc, eq, inArray, ne, not, notInArray, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import {
  account,
  dataCenter,
  domain,
  guestOs,
  storagePool,
  templateSpoolRef,
  templateStoreRef,
  vmTemplate,
  vmTemplateDetails,
} from '../schema/index.js';
import { HTTP_HEADER_DETAIL, type TemplateType } from '../templates.js';
import type { Caller } from './find-caller.js';
import { contains, given, isText, type Listed, type Page } from './list-query.js';
import { keptNumber } from './listed-page.js';
import type { Tag } from '../resource-tags.js';
import { hasAnyTag, tagsOf } from './list-tags.js';
import { ownerColumns } from './owner-columns.js';
import { isCountedInView, isInView, isPublic, type TemplateView } from './template-views.js';

export interface TemplateFilter extends TemplateView {
  /** ISOs are rows of the same table, and no list has both. */
  isIso: boolean;
  ids?: string[];
  name?: string;
  zoneId?: string;
  /** That has a copy of it, or gets one. */
  poolId?: string;
  arch?: string;
  isReady?: boolean;
  templateType?: TemplateType;
  isPublic?: boolean;
  bootable?: boolean;
  isRemovedShown: boolean;
  /** Whether small sort keys come first, and else large ones. */
  isAscending: boolean;
  tags?: readonly Tag[];
  keyword?: string;
}

/** Whatever the caller may see, and whoever owns it. */
export const ANY_IMAGE = {
  templateFilter: 'all',
  scope: { of: 'everybody' },
  isScopeNamed: false,
  isRemovedShown: false,
  isAscending: true,
} as const satisfies Partial<TemplateFilter>;

const isReady = sql<boolean>`(${vmTemplate.state} = 'Active' and ${templateStoreRef.state} = 'Ready')`;

// Written out, as the indexes have it.
const IS_ISO = sql`${vmTemplate.format} = 'ISO'`;
const IS_NO_ISO = sql`${vmTemplate.format} <> 'ISO'`;
const IS_LISTED = sql`${vmTemplate.removed} is null and ${isReady}`;
const IS_VALIDATED = sql`${vmTemplate.state} <> 'Registering'`;

/** The whole order turns: one index has both. */
const orderOf = (isAscending: boolean): SQL[] =>
  [vmTemplate.sortKey, vmTemplate.created, vmTemplate.id, dataCenter.name, dataCenter.id].map(isAscending ? asc : desc);

/** What the list shows of whoever sees it; undefined for what was not asked. */
const asked = (db: Database, filter: TemplateFilter): (SQL | undefined)[] => [
  given(filter.isPublic, (wanted) => (wanted ? isPublic : not(isPublic))),
  given(filter.bootable, (wanted) => eq(vmTemplate.bootable, wanted)),
  given(filter.isReady, (wanted) => (wanted ? isReady : not(isReady))),
  given(filter.ids, (ids) => inArray(vmTemplate.id, ids)),
  given(filter.name, (name) => contains(vmTemplate.name, name)),
  given(filter.zoneId, (id) => eq(templateStoreRef.dataCenterId, id)),
  given(filter.poolId, (id) => inArray(vmTemplate.id, copiedTo(db, id))),
  given(filter.templateType, (type) => eq(vmTemplate.type, type)),
  given(filter.arch, (arch) => isText(vmTemplate.arch, arch)),
  given(filter.tags, (tags) => hasAnyTag(db, 'Template', vmTemplate.id, tags)),
  given(filter.keyword, (text) => contains(vmTemplate.name, text)),
];

const select = (db: Database, ids: string[], order: SQL[]) =>
  db
    .select({
      template: vmTemplate,
      isReady,
      zoneId: dataCenter.id,
      zoneName: dataCenter.name,
      ...ownerColumns,
      guestOsName: guestOs.displayName,
      tags: tagsOf('Template', vmTemplate.id),
    })
    .from(templateStoreRef)
    .innerJoin(vmTemplate, eq(vmTemplate.id, templateStoreRef.templateId))
    .innerJoin(dataCenter, eq(dataCenter.id, templateStoreRef.dataCenterId))
    .innerJoin(account, eq(account.id, vmTemplate.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .leftJoin(guestOs, eq(guestOs.id, vmTemplate.guestOsId))
    .where(sql`${templateStoreRef.id} = any(${sql.param(ids)}::uuid[])`)
    .orderBy(...order);

export type ListedTemplate = Awaited<ReturnType<typeof select>>[number];

/** One row per template and zone. The page is found first, and only what is on it is put together. */
export async function listTemplates(
  db: Database,
  caller: Caller,
  filter: TemplateFilter,
  { limit, offset }: Page,
): Promise<Listed<ListedTemplate>> {
  const { isIso, isRemovedShown } = filter;
  const isAsked = asked(db, filter);
  const isKept = !isRemovedShown && isAsked.every((condition) => condition === undefined);
  const chosen = and(
    isInView(caller, filter),
    isRemovedShown ? IS_VALIDATED : IS_LISTED,
    isIso ? IS_ISO : IS_NO_ISO,
    ...isAsked,
  );
  const order = orderOf(filter.isAscending);
  const counted = isKept
    ? keptNumber(db, isCountedInView(caller, filter, { isIso }))
    : db
        .select({ count: count() })
        .from(templateStoreRef)
        .innerJoin(vmTemplate, eq(vmTemplate.id, templateStoreRef.templateId))
        .where(chosen);
  const page = await db
    .select({ id: templateStoreRef.id, total: sql<number>`(${counted})`.mapWith(Number) })
    .from(templateStoreRef)
    .innerJoin(vmTemplate, eq(vmTemplate.id, templateStoreRef.templateId))
    .innerJoin(dataCenter, eq(dataCenter.id, templateStoreRef.dataCenterId))
    .where(chosen)
    .orderBy(...order)
    .limit(limit)
    .offset(offset);
  if (page.length === 0) return { count: offset === 0 ? 0 : (await counted)[0]!.count, rows: [] };
  const ids = page.map(({ id }) => id);
  return { count: page[0]!.total, rows: await select(db, ids, order) };
}

const isCopy = notInArray(templateSpoolRef.state, ['Superseded', 'Evicting']);

const copiedTo = (db: Database, poolId: string) =>
  db
    .select({ id: templateSpoolRef.templateId })
    .from(templateSpoolRef)
    .where(and(eq(templateSpoolRef.poolId, poolId), isCopy));

/** Where templates are on primary storage, or on their way to. */
export const listTemplateCopies = (db: Database, templateIds: string[]) =>
  templateIds.length === 0
    ? Promise.resolve([])
    : db
        .select({
          templateId: templateSpoolRef.templateId,
          zoneId: storagePool.dataCenterId,
          poolId: storagePool.id,
          poolName: storagePool.name,
          generation: templateSpoolRef.generation,
          state: templateSpoolRef.state,
          downloadState: templateSpoolRef.downloadState,
          percent: templateSpoolRef.downloadPct,
          bytes: templateSpoolRef.downloadedBytes,
          bytesPerSecond: templateSpoolRef.bytesPerSecond,
          source: templateSpoolRef.downloadSource,
          isQueued: templateSpoolRef.isQueued,
        })
        .from(templateSpoolRef)
        .innerJoin(storagePool, eq(storagePool.id, templateSpoolRef.poolId))
        .where(and(inArray(templateSpoolRef.templateId, templateIds), isCopy))
        .orderBy(asc(storagePool.name), asc(storagePool.id), asc(templateSpoolRef.generation));

export type TemplateCopy = Awaited<ReturnType<typeof listTemplateCopies>>[number];

/** What templates were registered with, but for HTTP headers: not even their names are for whoever lists templates. */
export const listTemplateDetails = (db: Database, templateIds: string[]) =>
  templateIds.length === 0
    ? Promise.resolve([])
    : db
        .select()
        .from(vmTemplateDetails)
        .where(and(inArray(vmTemplateDetails.templateId, templateIds), ne(vmTemplateDetails.name, HTTP_HEADER_DETAIL)));

export type TemplateDetail = Awaited<ReturnType<typeof listTemplateDetails>>[number];
