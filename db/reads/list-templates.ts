import { type SQL, and, asc, count, desc, eq, inArray, isNull, ne, not, notInArray, or, sql } from 'drizzle-orm';
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
import { contains, given, inScope, isText, ownedBy, type Page, type Scope, type Listed } from './list-query.js';
import type { Tag } from '../resource-tags.js';
import { hasAnyTag, tagsOf } from './list-tags.js';
import { ownerColumns } from './owner-columns.js';

/** CloudStack's views of templates. Nothing is shared with single accounts here, so two of them are always empty. */
export const TEMPLATE_FILTERS = [
  'featured',
  'self',
  'selfexecutable',
  'sharedexecutable',
  'executable',
  'community',
  'shared',
  'all',
] as const;

export interface TemplateFilter {
  /** ISOs are rows of the same table, and no list has both. */
  isIso: boolean;
  templateFilter: (typeof TEMPLATE_FILTERS)[number];
  ids?: string[];
  name?: string;
  zoneId?: string;
  /** That has a copy of it, or gets one. */
  poolId?: string;
  scope: Scope;
  /** The scope is of an account or a domain that was named: it narrows every view, and not only that of one's own. */
  isScopeNamed: boolean;
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

const isIso = eq(vmTemplate.format, 'ISO');

const isPublic = eq(vmTemplate.isPublic, true);

/** What a caller may see and deploy whatever the view: what is theirs and what is public, a root admin all. */
function isTemplateVisible(caller: Caller): SQL | undefined {
  const isOwn = ownedBy(caller, vmTemplate.accountId);
  return isOwn && or(isOwn, isPublic);
}

/** One template or ISO, if the caller may see it and it is neither deleted nor still to be validated. */
export const isUsableTemplate = (caller: Caller, id: string): SQL | undefined =>
  and(eq(vmTemplate.id, id), eq(vmTemplate.state, 'Active'), isNull(vmTemplate.removed), isTemplateVisible(caller));

function view({ templateFilter, scope }: TemplateFilter): SQL | undefined {
  const isOwn = inScope(scope, vmTemplate.accountId);
  switch (templateFilter) {
    case 'featured':
      return and(isPublic, eq(vmTemplate.isFeatured, true));
    case 'community':
      return and(isPublic, eq(vmTemplate.isFeatured, false));
    case 'self':
    case 'selfexecutable':
      return isOwn;
    case 'executable':
      return isOwn && or(isOwn, isPublic);
    case 'shared':
    case 'sharedexecutable':
      return sql`false`;
    case 'all':
      return undefined;
  }
}

/** The whole order turns: one index has both. */
const orderOf = (isAscending: boolean): SQL[] =>
  [vmTemplate.sortKey, vmTemplate.created, vmTemplate.id, dataCenter.name, dataCenter.id].map(isAscending ? asc : desc);

const matching = (db: Database, caller: Caller, filter: TemplateFilter): SQL | undefined =>
  and(
    isTemplateVisible(caller),
    view(filter),
    filter.isRemovedShown ? undefined : and(isNull(vmTemplate.removed), isReady),
    filter.isIso ? isIso : not(isIso),
    given(filter.isPublic, (wanted) => eq(vmTemplate.isPublic, wanted)),
    given(filter.bootable, (wanted) => eq(vmTemplate.bootable, wanted)),
    given(filter.isReady, (wanted) => (wanted ? isReady : not(isReady))),
    ne(vmTemplate.state, 'Registering'),
    given(filter.ids, (ids) => inArray(vmTemplate.id, ids)),
    given(filter.name, (name) => contains(vmTemplate.name, name)),
    given(filter.zoneId, (id) => eq(templateStoreRef.dataCenterId, id)),
    given(filter.poolId, (id) => inArray(vmTemplate.id, copiedTo(db, id))),
    filter.isScopeNamed ? inScope(filter.scope, vmTemplate.accountId) : undefined,
    given(filter.templateType, (type) => eq(vmTemplate.type, type)),
    given(filter.arch, (arch) => isText(vmTemplate.arch, arch)),
    given(filter.tags, (tags) => hasAnyTag(db, 'Template', vmTemplate.id, tags)),
    given(filter.keyword, (text) => contains(vmTemplate.name, text)),
  );

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
  const chosen = matching(db, caller, filter);
  const order = orderOf(filter.isAscending);
  const counted = db
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
