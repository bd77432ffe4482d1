import { sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { asyncJob, host, templateSpoolRef, vmInstance, vmTemplate } from '../schema/index.js';

export interface Change {
  kind: 'VirtualMachine' | 'Template' | 'Job' | 'Host';
  id: string;
  /** The transaction that made it. */
  changed: string;
}

export interface Changes {
  /** From where to look next. What comes after is told then, and some of what is told now is told again. */
  position: string;
  /** Missing when there are more than `limit`. */
  changes: Change[] | undefined;
}

/**
 * What has changed since a position, or only where now is. Positions are PostgreSQL's numbers of transactions: all below
 * had ended when it was read, so that one which commits late is not missed. They hold for any connection to the database.
 *
 * @param position as an earlier call gave it; decimal
 */
export async function readChanges(db: Database, position: string | undefined, limit: number): Promise<Changes> {
  const since = (table: unknown, kind: Change['kind'], id = sql`id`) =>
    // Not what is above now: a database that was restored elsewhere has numbers of the server it came from.
    sql`select ${kind}::text as kind, ${id} as id, changed from ${table}
        where changed >= ${position}::xid8 and changed < pg_snapshot_xmax(pg_current_snapshot())`;
  const all = sql.join(
    [
      since(vmInstance, 'VirtualMachine'),
      since(vmTemplate, 'Template'),
      since(templateSpoolRef, 'Template', sql`template_id`),
      since(asyncJob, 'Job'),
      since(host, 'Host'),
    ],
    sql` union all `,
  );
  const changes =
    position === undefined
      ? sql`'[]'::json`
      : sql`(select coalesce(json_agg(json_build_object('kind', kind, 'id', id, 'changed', changed::text)), '[]'::json)
             from (${all} limit ${limit + 1}) as change)`;
  const [row] = await db.execute<{ position: string; changes: Change[] }>(
    sql`select pg_snapshot_xmin(pg_current_snapshot())::text as position, ${changes} as changes`,
  );
  return { position: row!.position, changes: row!.changes.length > limit ? undefined : row!.changes };
}
