import { and, eq, inArray, isNull, ne } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { refuseTaken } from './errors.js';
import { holdAccount } from './hold-account.js';
import { hashPassword } from './password.js';
import type { Caller } from './reads/find-caller.js';
import { account, user, type USER_STATES } from './schema/index.js';
import type { SecretBox } from './secret-box.js';
import { endSessionsOf } from './sessions.js';
import { makeUserKeys, type UserKeys } from './user-keys.js';

type UserRow = typeof user.$inferSelect;
type UserState = (typeof USER_STATES)[number];

export interface NewUser {
  username: string;
  password: string;
  firstname: string;
  lastname: string;
  email: string;
  timezone?: string;
}

const refuseTakenName = <Result>(name: string, work: () => Promise<Result>): Promise<Result> =>
  refuseTaken('user_username_domain_id_key', `The user ${name} already exists in the domain`, work);

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID when another user of the domain has the name */
export async function insertUser(
  tx: Transaction,
  caller: Caller,
  { id: accountId, domainId }: { id: string; domainId: string },
  { password, ...columns }: NewUser,
): Promise<string> {
  const row = { ...columns, accountId, domainId, password: await hashPassword(password) };
  const [added] = await refuseTakenName(columns.username, () => tx.insert(user).values(row).returning());
  await note(tx, caller, added!, { type: 'USER.CREATE', what: 'was made' });
  return added!.id;
}

/** @throws SlipwayError of `insertUser`, or when the account is gone */
export const createUser = (db: Database, caller: Caller, accountId: string, values: NewUser): Promise<string> =>
  db.transaction(async (tx) => {
    return insertUser(tx, caller, await holdAccount(tx, accountId), values);
  });

export type UserChanges = Partial<NewUser>;

/** A new password ends all sessions of the user, that of the caller too. */
export const changeUser = (
  db: Database,
  caller: Caller,
  id: string,
  { password, ...changes }: UserChanges,
): Promise<void> =>
  refuseTakenName(changes.username ?? '', () =>
    db.transaction(async (tx) => {
      const row = await lockUser(tx, id);
      const secret = password === undefined ? {} : { password: await hashPassword(password) };
      await tx
        .update(user)
        // drizzle leaves out what is undefined, and refuses to set nothing.
        .set({ ...changes, ...secret, username: changes.username ?? row.username })
        .where(eq(user.id, id));
      if (password !== undefined) await endSessionsOf(tx, id);
      const what = password === undefined ? 'was changed' : 'has a new password';
      await note(tx, caller, { ...row, username: changes.username ?? row.username }, { type: 'USER.UPDATE', what });
    }),
  );

const STATE_EVENTS: Record<UserState, string> = {
  enabled: 'USER.ENABLE',
  disabled: 'USER.DISABLE',
  locked: 'USER.LOCK',
};

export async function setUserState(tx: Transaction, caller: Caller, id: string, state: UserState): Promise<void> {
  const row = state === 'enabled' ? await lockUser(tx, id) : await lockDispensable(tx, id);
  if (state !== 'enabled') await endSessionsOf(tx, id);
  await tx.update(user).set({ state }).where(eq(user.id, id));
  await note(tx, caller, row, { type: STATE_EVENTS[state], what: `is ${state}` });
}

/** The row stays, for what refers to it; nothing can be done with it any more. */
export const deleteUser = (db: Database, caller: Caller, id: string): Promise<void> =>
  db.transaction(async (tx) => {
    const row = await lockDispensable(tx, id);
    await endSessionsOf(tx, id);
    await tx
      .update(user)
      .set({ removed: new Date().toISOString(), apiKey: null, secretKeyEncrypted: null, password: '' })
      .where(eq(user.id, id));
    await note(tx, caller, row, { type: 'USER.DELETE', what: 'was deleted' });
  });

/** The old keys are good for nothing from the moment that the new ones are there. */
export const replaceKeys = (db: Database, secretBox: SecretBox, caller: Caller, id: string): Promise<UserKeys> =>
  db.transaction(async (tx) => {
    const row = await lockUser(tx, id);
    const keys = makeUserKeys();
    await tx
      .update(user)
      .set({ apiKey: keys.apiKey, secretKeyEncrypted: secretBox.encrypt(keys.secretKey) })
      .where(eq(user.id, id));
    await note(tx, caller, row, { type: 'REGISTER.USER.KEY', what: 'has new keys' });
    return keys;
  });

async function lockUser(tx: Transaction, id: string): Promise<UserRow> {
  const [row] = await tx
    .select()
    .from(user)
    .where(and(eq(user.id, id), isNull(user.removed)))
    .for('no key update');
  if (!row) throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Unable to find user by id ${id}`);
  return row;
}

/**
 * Locks a user that the installation can do without: without a user of the default account nobody could administer it.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID
 */
async function lockDispensable(tx: Transaction, id: string): Promise<UserRow> {
  const accountId = tx.select({ id: user.accountId }).from(user).where(eq(user.id, id));
  // Before the user, as whoever deletes the account does. Of two calls at once the second waits here, and sees what the
  // first has left.
  const [owner] = await tx.select().from(account).where(inArray(account.id, accountId)).for('no key update');
  const row = await lockUser(tx, id);
  if (!owner?.isDefault) return row;
  const [other] = await tx
    .select({ id: user.id })
    .from(user)
    .where(and(eq(user.accountId, owner.id), ne(user.id, row.id), eq(user.state, 'enabled'), isNull(user.removed)))
    .limit(1);
  if (other) return row;
  throw new SlipwayError(
    'SLIPWAY_PARAMETER_INVALID',
    `The user ${row.username} is the only one of the default account that can log in, and stays`,
  );
}

const note = (tx: Transaction, caller: Caller, row: UserRow, { type, what }: { type: string; what: string }) =>
  audit(
    tx,
    { accountId: row.accountId, userId: caller.userId },
    { type, description: `User ${row.username} ${what}`, resourceType: 'User', resourceId: row.id },
  );
