import { and, eq, isNotNull, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, type ACCOUNT_TYPES, user } from '../schema/index.js';

/** Who calls the API. */
export interface Caller {
  userId: string;
  accountId: string;
  role: (typeof ACCOUNT_TYPES)[number];
}

/** Only users and accounts that are enabled. */
export async function findCallerByApiKey(
  db: Database,
  apiKey: string,
): Promise<{ caller: Caller; secretKeyEncrypted: string } | undefined> {
  const [row] = await db
    .select({
      userId: user.id,
      accountId: account.id,
      role: account.type,
      secretKeyEncrypted: user.secretKeyEncrypted,
    })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .where(
      and(
        eq(user.apiKey, apiKey),
        isNotNull(user.secretKeyEncrypted),
        eq(user.state, 'enabled'),
        isNull(user.removed),
        eq(account.state, 'enabled'),
        isNull(account.removed),
      ),
    );
  if (!row?.secretKeyEncrypted) return undefined;
  const { secretKeyEncrypted, ...caller } = row;
  return { caller, secretKeyEncrypted };
}
