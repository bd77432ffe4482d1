import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, domain, user } from '../schema/index.js';
import { mayCall } from './find-caller.js';

/** @param place the path of the domain, without regard to case, or its id */
export async function findLogin(
  db: Pick<Database, 'select'>,
  { username, place }: { username: string; place: { path: string } | { domainId: string } },
) {
  const isThere = 'path' in place ? sql`lower(${domain.path}) = lower(${place.path})` : eq(domain.id, place.domainId);
  const [row] = await db
    .select({ user, account })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .where(and(sql`lower(${user.username}) = lower(${username})`, isThere, isNull(domain.removed), mayCall));
  return row;
}

/** Of the default account: who calls where nobody has to say who they are. */
export async function findDefaultAdmin(db: Pick<Database, 'select'>) {
  const [row] = await db
    .select({
      userId: user.id,
      accountId: account.id,
      role: account.type,
      domainId: domain.id,
      domainPath: domain.path,
    })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .where(and(eq(account.isDefault, true), mayCall))
    .orderBy(user.created)
    .limit(1);
  return row;
}
