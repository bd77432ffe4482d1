import { and, asc, eq } from 'drizzle-orm';
import type { Database } from '../client.js';
import { guestOs } from '../schema/index.js';
import { contains, given, listed, type Page, total } from './list-query.js';

export interface GuestOsFilter {
  id?: string;
  description?: string;
  keyword?: string;
}

export const listGuestOses = (db: Database, filter: GuestOsFilter, page: Page) =>
  listed(
    db
      .select({ guestOs, total })
      .from(guestOs)
      .where(
        and(
          given(filter.id, (id) => eq(guestOs.id, id)),
          given(filter.description, (text) => contains(guestOs.displayName, text)),
          given(filter.keyword, (text) => contains(guestOs.displayName, text)),
        ),
      )
      .orderBy(asc(guestOs.displayName), asc(guestOs.id)),
    page,
  );
