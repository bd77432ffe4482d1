import type { Database } from './client.js';
import { event } from './schema/index.js';

/** Whose the resource is, and who did it. */
interface Who {
  accountId: string;
  userId?: string | undefined;
}

type Row = typeof event.$inferInsert;

/** INFO when no level is given. */
type What = Pick<Row, 'type' | 'description' | 'ownerDescription' | 'resourceType' | 'resourceId'> & {
  level?: Row['level'];
};

/**
 * What a caller did without a job. It belongs into the transaction of what was done: one is not there without the other.
 *
 * @param who undefined for what happens by itself
 */
export async function audit(db: Pick<Database, 'insert'>, who: Who | undefined, what: What): Promise<void> {
  const { accountId, userId } = who ?? {};
  await db.insert(event).values({ level: 'INFO', accountId, userId, ...what });
}
