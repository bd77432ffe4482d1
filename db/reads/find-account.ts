import { and, eq, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, domain } from '../schema/index.js';
import { given, isText } from './list-query.js';

const ROOT_PATH = '/';

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

/** One that is not deleted. */
export async function findDomain(
  db: Pick<Database, 'select'>,
  id: string,
): Promise<{ id: string; name: string; path: string } | undefined> {
  const [row] = await db
    .select({ id: domain.id, name: domain.name, path: domain.path })
    .from(domain)
    .where(and(eq(domain.id, id), isNull(domain.removed)));
  return row;
}

/** The domain that all others are in. */
export async function isRootDomain(db: Pick<Database, 'select'>, id: string): Promise<boolean> {
  const rows = await db
    .select({ id: domain.id })
    .from(domain)
    .where(and(eq(domain.id, id), eq(domain.path, ROOT_PATH), isNull(domain.removed)));
  return rows.length > 0;
}

export async function findRootDomain(db: Pick<Database, 'select'>): Promise<string> {
  const [row] = await db
    .select({ id: domain.id })
    .from(domain)
    .where(isNull(domain.parentId))
    .orderBy(domain.created)
    .limit(1);
  return row!.id;
}
