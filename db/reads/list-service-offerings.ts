import { and, asc, desc, eq, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { serviceOffering } from '../schema/index.js';
import { contains, given, isText, listed, type Page, total } from './list-query.js';

export interface ServiceOfferingFilter {
  id?: string;
  name?: string;
  cpuNumber?: number;
  cpuSpeedMhz?: number;
  memoryMb?: number;
  keyword?: string;
  /** Whether small sort keys come first, and else large ones. */
  isAscending: boolean;
}

export const listServiceOfferings = (db: Database, filter: ServiceOfferingFilter, page: Page) =>
  listed(
    db
      .select({ offering: serviceOffering, total })
      .from(serviceOffering)
      .where(
        and(
          isNull(serviceOffering.removed),
          given(filter.id, (id) => eq(serviceOffering.id, id)),
          given(filter.name, (name) => isText(serviceOffering.name, name)),
          given(filter.cpuNumber, (count) => eq(serviceOffering.cpu, count)),
          given(filter.cpuSpeedMhz, (speed) => eq(serviceOffering.speedMhz, speed)),
          given(filter.memoryMb, (size) => eq(serviceOffering.ramMb, size)),
          given(filter.keyword, (text) => contains(serviceOffering.name, text)),
        ),
      )
      .orderBy(
        (filter.isAscending ? asc : desc)(serviceOffering.sortKey),
        asc(serviceOffering.name),
        asc(serviceOffering.id),
      ),
    page,
  );
