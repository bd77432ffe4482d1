import type { Database } from '../../db/client.js';
import { event } from '../../db/schema/index.js';

/** One row of the audit trail. The description is for people and has no secrets. */
export async function recordEvent(db: Pick<Database, 'insert'>, row: typeof event.$inferInsert): Promise<void> {
  await db.insert(event).values(row);
}
