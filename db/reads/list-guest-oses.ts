import { and, asc, eq, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { guestOs } from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface GuestOsFilter {
  id?: string;
  description?: string;
  categoryId?: string;
  keyword?: string;
}

/** Categories are names; an id that API clients can hold on to is made of the name, and is the same everywhere. */
const categoryId = sql<string>`md5(${guestOs.category})::uuid`;

export const listGuestOses = (db: Database, filter: GuestOsFilter, page: Page) =>
  listed(
    db
      .select({ guestOs, categoryId, total })
      .from(guestOs)
      .where(
        and(
          given(filter.id, (id) => eq(guestOs.id, id)),
          given(filter.description, (text) => contains(guestOs.displayName, text)),
          given(filter.categoryId, (id) => eq(categoryId, id)),
          given(filter.keyword, (text) => contains(guestOs.displayName, text)),
        ),
      )
      .orderBy(asc(guestOs.displayName), asc(guestOs.id)),
    page,
  );

export interface OsCategoryFilter {
  id?: string;
  name?: string;
  keyword?: string;
}

export const listOsCategories = (db: Database, filter: OsCategoryFilter, page: Page) =>
  listed(
    db
      .select({ id: categoryId, name: guestOs.category, total })
      .from(guestOs)
      .where(
        and(
          given(filter.id, (id) => eq(categoryId, id)),
          given(filter.name, (name) => isText(guestOs.category, name)),
          given(filter.keyword, (text) => contains(guestOs.category, text)),
        ),
      )
      .groupBy(guestOs.category)
      .orderBy(asc(guestOs.category)),
    page,
  );
