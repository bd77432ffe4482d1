import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, type ACCOUNT_STATES, type ACCOUNT_TYPES, domain, user } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Listed, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';

export interface AccountFilter {
  scope: Scope;
  id?: string;
  name?: string;
  type?: (typeof ACCOUNT_TYPES)[number];
  state?: (typeof ACCOUNT_STATES)[number];
  isCleanupNeeded?: boolean;
  keyword?: string;
}

const select = (db: Pick<Database, 'select'>) =>
  db
    .select({ account, domainName: domain.name, domainPath: domain.path })
    .from(account)
    .innerJoin(domain, eq(domain.id, account.domainId));

export type ListedAccount = Awaited<ReturnType<typeof select>>[number];

export const listAccounts = (
  db: Database,
  caller: Caller,
  filter: AccountFilter,
  page: Page,
): Promise<Listed<ListedAccount>> =>
  listedPage(
    db,
    {
      table: account,
      id: account.id,
      accountId: account.id,
      caller,
      scope: filter.scope,
      filters: [
        // What is left of a deleted one is shown to whoever asks for that.
        filter.isCleanupNeeded ? undefined : isNull(account.removed),
        given(filter.isCleanupNeeded, (isNeeded) => eq(account.cleanupNeeded, isNeeded)),
        given(filter.id, (id) => eq(account.id, id)),
        given(filter.name, (name) => isText(account.accountName, name)),
        given(filter.type, (type) => eq(account.type, type)),
        given(filter.state, (state) => eq(account.state, state)),
        given(filter.keyword, (text) => contains(account.accountName, text)),
      ],
      orderBy: [asc(account.accountName), asc(account.id)],
    },
    page,
    (ids) => select(db).where(isAnyOf(account.id, ids)),
    (row) => row.account.id,
  );

/** Whoever owns it; none that was deleted. */
export async function findListedAccount(db: Pick<Database, 'select'>, id: string): Promise<ListedAccount | undefined> {
  const [row] = await select(db).where(and(eq(account.id, id), isNull(account.removed)));
  return row;
}

/** Users of accounts that are shown with them. */
export const usersOfAccounts = (db: Pick<Database, 'select'>, accountIds: string[]) =>
  accountIds.length === 0
    ? Promise.resolve([])
    : db
        .select()
        .from(user)
        .where(and(inArray(user.accountId, accountIds), isNull(user.removed)))
        .orderBy(asc(user.username), asc(user.id));

export type UserRow = Awaited<ReturnType<typeof usersOfAccounts>>[number];
