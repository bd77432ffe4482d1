import { and, asc, eq, exists, isNull, ne, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Database } from '../client.js';
import { domain } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isText, type Listed, listed, type Page, total } from './list-query.js';

export interface DomainFilter {
  id?: string;
  name?: string;
  /** 0 for the root. */
  level?: number;
  /** Those right below that domain. */
  parentId?: string;
  /** Those below that path, however deep. */
  belowPath?: string;
  /** That domain alone. */
  onlyId?: string;
  keyword?: string;
}

const parent = alias(domain, 'parent');
const child = alias(domain, 'child');

const level = sql<number>`(length(${domain.path}) - length(replace(${domain.path}, '/', '')) - 1)`.mapWith(Number);

const select = (db: Pick<Database, 'select'>) =>
  db
    .select({
      domain,
      level,
      parentName: parent.name,
      hasChild: sql<boolean>`${exists(
        db
          .select({ id: child.id })
          .from(child)
          .where(and(eq(child.parentId, domain.id), isNull(child.removed))),
      )}`,
      total,
    })
    .from(domain)
    .leftJoin(parent, eq(parent.id, domain.parentId));

export type ListedDomain = Awaited<ReturnType<typeof select>>[number];

/** A root admin sees all, a domain admin theirs and those below, others their own. */
function isVisible(caller: Caller): SQL | undefined {
  if (caller.role === 'Admin') return undefined;
  return caller.role === 'User'
    ? eq(domain.id, caller.domainId)
    : sql`starts_with(${domain.path}, ${caller.domainPath})`;
}

export const listDomains = (
  db: Database,
  caller: Caller,
  filter: DomainFilter,
  page: Page,
): Promise<Listed<ListedDomain>> =>
  listed(
    select(db)
      .where(
        and(
          isVisible(caller),
          isNull(domain.removed),
          given(filter.id, (id) => eq(domain.id, id)),
          given(filter.onlyId, (id) => eq(domain.id, id)),
          given(filter.name, (name) => isText(domain.name, name)),
          given(filter.level, (wanted) => eq(level, wanted)),
          given(filter.parentId, (id) => eq(domain.parentId, id)),
          given(filter.belowPath, (path) => and(sql`starts_with(${domain.path}, ${path})`, ne(domain.path, path))),
          given(filter.keyword, (text) => contains(domain.name, text)),
        ),
      )
      .orderBy(asc(domain.path), asc(domain.id)),
    page,
  );

/** Whoever asks; none that was deleted. */
export async function findListedDomain(db: Pick<Database, 'select'>, id: string): Promise<ListedDomain | undefined> {
  const [row] = await select(db).where(and(eq(domain.id, id), isNull(domain.removed)));
  return row;
}
