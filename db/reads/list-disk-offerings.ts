import { and, asc, desc, eq, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import type { DiskOfferingRow } from '../disk-offerings.js';
import { diskOffering } from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface DiskOfferingFilter {
  id?: string;
  name?: string;
  keyword?: string;
  /** Whether small sort keys come first, and else large ones. */
  isAscending: boolean;
}

export const listDiskOfferings = (db: Database, filter: DiskOfferingFilter, page: Page) =>
  listed(
    db
      .select({ offering: diskOffering, total })
      .from(diskOffering)
      .where(
        and(
          isNull(diskOffering.removed),
          given(filter.id, (id) => eq(diskOffering.id, id)),
          given(filter.name, (name) => isText(diskOffering.name, name)),
          given(filter.keyword, (text) => contains(diskOffering.name, text)),
        ),
      )
      .orderBy(
        (filter.isAscending ? asc : desc)(diskOffering.sortKey),
        asc(diskOffering.sizeBytes),
        asc(diskOffering.name),
        asc(diskOffering.id),
      ),
    page,
  );

export async function findDiskOffering(db: Database, id: string): Promise<DiskOfferingRow | undefined> {
  const [row] = await db
    .select()
    .from(diskOffering)
    .where(and(eq(diskOffering.id, id), isNull(diskOffering.removed)));
  return row;
}
