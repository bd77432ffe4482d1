import { sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { rowCount } from './schema/index.js';

/** Rows of one statement: it must end within the limit for statements however many there are. */
const BATCH = 50_000;

/**
 * Puts one row in the place of many of a table and account, or none where they cancel out. The sums stay as they are: whoever
 * reads sees the rows of before or those of after. Several may do so at once: each row is deleted by one of them, and they go
 * through them in one order.
 */
export async function foldRowCounts(db: Database): Promise<void> {
  for (;;) {
    const [row] = await db.execute<{ folded: number }>(sql`
      with many as (
        select unnest(array_agg(ctid)) as place from ${rowCount} group by counted, account_id having count(*) > 1 limit ${BATCH}::int
      ),
      folded as (
        delete from ${rowCount} where ctid = any(array(select place from many)) returning counted, account_id, "rows"
      ),
      sums as (
        insert into ${rowCount} (counted, account_id, "rows")
        select counted, account_id, sum("rows") from folded group by counted, account_id having sum("rows") <> 0
      )
      select count(*)::int as folded from folded`);
    if (row!.folded < BATCH) return;
  }
}
