import { and, eq, exists, gt, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { capacityClaim, cleanupDebt } from './schema/index.js';

/** Whether a domain may run for a claim of the query: what is left of others is a disk, or a console log. */
export const holdsCompute = or(gt(capacityClaim.cpuMhz, 0), gt(capacityClaim.ramBytes, 0))!;

/**
 * Whether a host has yet to undo, or to end, what a claim of the query is for.
 *
 * @param which of the debts count; all when absent
 */
export const isOwed = (db: Pick<Database, 'select'>, which?: SQL): SQL =>
  exists(
    db
      .select({ one: sql`1` })
      .from(cleanupDebt)
      .where(and(eq(cleanupDebt.vmId, capacityClaim.vmId), eq(cleanupDebt.token, capacityClaim.token), which)),
  );
