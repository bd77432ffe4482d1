import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, domain, user } from '../schema/index.js';
import { mayCall } from './find-caller.js';

export interface LoginName {
  username: string;
  /** The path of the domain, without regard to case, or its id. */
  place: { path: string } | { domainId: string };
}

const isAt = (place: LoginName['place']): SQL =>
  'path' in place ? sql`lower(${domain.path}) = lower(${place.path})` : eq(domain.id, place.domainId);

/**
 * One text for all ways to write a name that `findLogin` takes for the same: what is a letter's other case is for the
 * database to say. A name that nobody has is read alike.
 */
export async function readLoginName(db: Pick<Database, 'execute'>, { username, place }: LoginName): Promise<string> {
  const [row] = await db.execute<{ name: string; domainId: string | null }>(sql`
    select lower(${username}) as name,
      (select ${domain.id} from ${domain} where ${isAt(place)} and ${domain.removed} is null) as "domainId"`);
  return JSON.stringify([row!.domainId ?? place, row!.name]);
}

export async function findLogin(db: Pick<Database, 'select'>, { username, place }: LoginName) {
  const [row] = await db
    .select({ user, account })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .where(and(sql`lower(${user.username}) = lower(${username})`, isAt(place), isNull(domain.removed), mayCall));
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
