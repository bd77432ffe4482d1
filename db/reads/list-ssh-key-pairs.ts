import { and, asc, eq, inArray } from 'drizzle-orm';
import type { Database } from '../client.js';
import { account, domain, sshKeypairs } from '../schema/index.js';
import type { Caller } from './find-caller.js';
import { contains, given, isAnyOf, isText, type Listed, type Page, type Scope } from './list-query.js';
import { listedPage } from './listed-page.js';
import { ownerColumns } from './owner-columns.js';

export interface KeyPairFilter {
  id?: string;
  name?: string;
  fingerprint?: string;
  scope: Scope;
  keyword?: string;
}

const select = (db: Database) =>
  db
    .select({
      pair: sshKeypairs,
      ...ownerColumns,
    })
    .from(sshKeypairs)
    .innerJoin(account, eq(account.id, sshKeypairs.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId));

export type ListedKeyPair = Awaited<ReturnType<typeof select>>[number];

export const listKeyPairs = (
  db: Database,
  caller: Caller,
  filter: KeyPairFilter,
  page: Page,
): Promise<Listed<ListedKeyPair>> =>
  listedPage(
    db,
    {
      table: sshKeypairs,
      id: sshKeypairs.id,
      accountId: sshKeypairs.accountId,
      caller,
      scope: filter.scope,
      filters: [
        given(filter.id, (id) => eq(sshKeypairs.id, id)),
        given(filter.name, (name) => isText(sshKeypairs.keypairName, name)),
        given(filter.fingerprint, (text) => isText(sshKeypairs.fingerprint, text)),
        given(filter.keyword, (text) => contains(sshKeypairs.keypairName, text)),
      ],
      orderBy: [asc(sshKeypairs.keypairName), asc(sshKeypairs.id)],
    },
    page,
    (ids) => select(db).where(isAnyOf(sshKeypairs.id, ids)),
    ({ pair }) => pair.id,
  );

export async function findKeyPair(db: Database, id: string): Promise<ListedKeyPair | undefined> {
  const [row] = await select(db).where(eq(sshKeypairs.id, id));
  return row;
}

/** Those of the caller's own account, in the order of the names; undefined where there is none. */
export async function findOwnKeyPairs(
  db: Database,
  caller: Caller,
  names: string[],
): Promise<(typeof sshKeypairs.$inferSelect | undefined)[]> {
  if (names.length === 0) return [];
  const rows = await db
    .select()
    .from(sshKeypairs)
    .where(and(eq(sshKeypairs.accountId, caller.accountId), inArray(sshKeypairs.keypairName, names)));
  return names.map((name) => rows.find(({ keypairName }) => keypairName === name));
}
