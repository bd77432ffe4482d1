import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, type ACCOUNT_TYPES, domain, user } from '../schema/index.js';

/** Who calls the API. */
export interface Caller {
  userId: string;
  accountId: string;
  role: (typeof ACCOUNT_TYPES)[number];
  domainId: string;
  /** What a domain admin may work on is in this domain or below. */
  domainPath: string;
}

/** Whether the caller may work on what an account of that domain owns; `ownedBy` says the same in SQL. */
export const mayWorkOn = (
  caller: Caller,
  owner: { accountId: string; accountType: Caller['role']; domainPath: string },
): boolean =>
  caller.role === 'Admin' ||
  caller.accountId === owner.accountId ||
  (caller.role === 'DomainAdmin' && owner.accountType !== 'Admin' && owner.domainPath.startsWith(caller.domainPath));

export const callerColumns = {
  userId: user.id,
  accountId: account.id,
  role: account.type,
  domainId: domain.id,
  domainPath: domain.path,
};

/** Of the users and accounts that may call. */
export const mayCall = and(
  eq(user.state, 'enabled'),
  isNull(user.removed),
  eq(account.state, 'enabled'),
  isNull(account.removed),
);

/** Only users and accounts that are enabled. */
export async function findCallerByApiKey(
  db: Database,
  apiKey: string,
): Promise<{ caller: Caller; secretKeyEncrypted: string } | undefined> {
  const [row] = await db
    .select({ ...callerColumns, secretKeyEncrypted: user.secretKeyEncrypted })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .where(and(eq(user.apiKey, apiKey), isNotNull(user.secretKeyEncrypted), mayCall));
  if (!row?.secretKeyEncrypted) return undefined;
  const { secretKeyEncrypted, ...caller } = row;
  return { caller, secretKeyEncrypted };
}
