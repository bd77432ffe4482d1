import { and, eq, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account } from '../schema/index.js';
import { given, isText } from './list-query.js';

/** None when several domains have an account of that name and none is named. */
export async function findAccount(
  db: Database,
  { name, domainId }: { name: string; domainId?: string },
): Promise<{ id: string } | undefined> {
  const rows = await db
    .select({ id: account.id })
    .from(account)
    .where(
      and(
        isText(account.accountName, name),
        isNull(account.removed),
        given(domainId, (id) => eq(account.domainId, id)),
      ),
    )
    .limit(2);
  return rows.length === 1 ? rows[0] : undefined;
}
