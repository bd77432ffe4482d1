import { and, eq, inArray, isNull } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { holdDomain } from './domains.js';
import { refuseTaken } from './errors.js';
import type { Caller } from './reads/find-caller.js';
import { account, type ACCOUNT_STATES, type ACCOUNT_TYPES, session, user } from './schema/index.js';
import { insertUser, type NewUser } from './users.js';

type AccountState = (typeof ACCOUNT_STATES)[number];
type AccountRow = typeof account.$inferSelect;

export interface NewAccount {
  name: string;
  type: (typeof ACCOUNT_TYPES)[number];
  domainId: string;
  user: NewUser;
}

const refuseTakenName = <Result>(name: string, work: () => Promise<Result>): Promise<Result> =>
  refuseTaken('account_account_name_domain_id_key', `The specified account: ${name} already exists`, work);

/**
 * An account with its first user.
 *
 * @returns its id
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when the domain is not there, or has an account or a user of that name
 */
export const createAccount = (db: Database, caller: Caller, { name, type, domainId, user: first }: NewAccount) =>
  refuseTakenName(name, () =>
    db.transaction(async (tx) => {
      await holdDomain(tx, domainId);
      const [row] = await tx.insert(account).values({ accountName: name, type, domainId }).returning();
      await note(tx, caller, row!, { type: 'ACCOUNT.CREATE', what: 'was made' });
      await insertUser(tx, caller, row!, first);
      return row!.id;
    }),
  );

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another account of the domain has the name */
export const changeAccount = (
  db: Database,
  caller: Caller,
  id: string,
  { name, type }: { name?: string; type?: AccountRow['type'] },
): Promise<void> =>
  refuseTakenName(name ?? '', () =>
    db.transaction(async (tx) => {
      const row = await lockAccount(tx, id);
      if (type !== undefined && type !== row.type) refuseDefault(row, 'given another role');
      const changes = { accountName: name ?? row.accountName, type: type ?? row.type };
      await tx.update(account).set(changes).where(eq(account.id, id));
      await note(tx, caller, { ...row, ...changes }, { type: 'ACCOUNT.UPDATE', what: 'was changed' });
    }),
  );

const STATE_EVENTS: Record<AccountState, string> = {
  enabled: 'ACCOUNT.ENABLE',
  disabled: 'ACCOUNT.DISABLE',
  locked: 'ACCOUNT.LOCK',
};

/** Nobody of an account that is disabled or locked can call; their sessions end. */
export async function setAccountState(
  tx: Transaction,
  caller: Caller,
  id: string,
  state: AccountState,
): Promise<AccountRow> {
  const row = await lockAccount(tx, id);
  if (state !== 'enabled') {
    refuseDefault(row, state);
    refuseOwn(row, caller, state);
    await endSessions(tx, id);
  }
  await tx.update(account).set({ state }).where(eq(account.id, id));
  await note(tx, caller, row, { type: STATE_EVENTS[state], what: `is ${state}` });
  return row;
}

/** Nobody of it can call from now on, and its name is free; what it owns is still to be removed. */
export async function retireAccount(tx: Transaction, caller: Caller, id: string): Promise<void> {
  const row = await lockAccount(tx, id);
  refuseDefault(row, 'deleted');
  refuseOwn(row, caller, 'deleted');
  await retire(tx, [id]);
}

/** As `retireAccount`, of accounts that are known to be no caller's and not the default one. */
export async function retire(tx: Transaction, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const now = new Date().toISOString();
  const isOfThem = inArray(user.accountId, ids);
  // In one order: else this and who gives them tags would wait for each other.
  await tx.select({ id: user.id }).from(user).where(isOfThem).orderBy(user.id).for('no key update');
  await tx.delete(session).where(inArray(session.userId, tx.select({ id: user.id }).from(user).where(isOfThem)));
  await tx
    .update(user)
    .set({ removed: now, apiKey: null, secretKeyEncrypted: null, password: '' })
    .where(and(isOfThem, isNull(user.removed)));
  await tx
    .update(account)
    .set({ removed: now, cleanupNeeded: true })
    .where(and(inArray(account.id, ids), isNull(account.removed)));
}

async function lockAccount(tx: Transaction, id: string): Promise<AccountRow> {
  const [row] = await tx
    .select()
    .from(account)
    .where(and(eq(account.id, id), isNull(account.removed)))
    .for('no key update');
  if (!row) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Unable to find account by id ${id}`);
  return row;
}

function refuseDefault(row: AccountRow, what: string): void {
  if (!row.isDefault) return;
  throw new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    `The account ${row.accountName} is the default one of the installation, and cannot be ${what}`,
  );
}

function refuseOwn(row: AccountRow, caller: Caller, what: string): void {
  if (row.id !== caller.accountId) return;
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `No account can be ${what} by itself`);
}

async function endSessions(tx: Transaction, accountId: string): Promise<void> {
  const users = tx.select({ id: user.id }).from(user).where(eq(user.accountId, accountId));
  await tx.delete(session).where(inArray(session.userId, users));
}

const note = (tx: Transaction, caller: Caller, row: AccountRow, { type, what }: { type: string; what: string }) =>
  audit(
    tx,
    { accountId: row.id, userId: caller.userId },
    { type, description: `Account ${row.accountName} ${what}`, resourceType: 'Account', resourceId: row.id },
  );
