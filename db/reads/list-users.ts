import { and, asc, eq, inArray, isNull, or } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, type ACCOUNT_TYPES, domain, user, type USER_STATES } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Listed, ownedBy, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';

export interface UserFilter {
  scope: Scope;
  id?: string;
  username?: string;
  accountType?: (typeof ACCOUNT_TYPES)[number];
  state?: (typeof USER_STATES)[number];
  keyword?: string;
}

const select = (db: Pick<Database, 'select'>) =>
  db
    .select({ user, account, domainName: domain.name, domainPath: domain.path })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId));

export type ListedUser = Awaited<ReturnType<typeof select>>[number];

export const listUsers = (db: Database, caller: Caller, filter: UserFilter, page: Page): Promise<Listed<ListedUser>> =>
  listedPage(
    db,
    {
      table: user,
      id: user.id,
      accountId: user.accountId,
      caller,
      scope: filter.scope,
      filters: [
        isNull(user.removed),
        given(filter.id, (id) => eq(user.id, id)),
        given(filter.username, (name) => isText(user.username, name)),
        given(filter.accountType, (type) =>
          inArray(user.accountId, db.select({ id: account.id }).from(account).where(eq(account.type, type))),
        ),
        given(filter.state, (state) => eq(user.state, state)),
        given(filter.keyword, (text) =>
          or(...[user.username, user.firstname, user.lastname, user.email].map((column) => contains(column, text))),
        ),
      ],
      orderBy: [asc(user.username), asc(user.id)],
    },
    page,
    (ids) => select(db).where(isAnyOf(user.id, ids)),
    (row) => row.user.id,
  );

/** One that is not deleted, if the caller may work on their account. */
export async function findUser(
  db: Pick<Database, 'select'>,
  caller: Caller,
  choice: { id: string } | { apiKey: string },
): Promise<ListedUser | undefined> {
  const isMeant = 'id' in choice ? eq(user.id, choice.id) : eq(user.apiKey, choice.apiKey);
  const [row] = await select(db).where(and(isMeant, isNull(user.removed), ownedBy(caller, account.id)));
  return row;
}
