import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import type { Database } from './client.js';
import { isNullViolation } from './errors.js';
import { account } from './schema/index.js';

/**
 * Holds an account for who makes something that it owns: whoever deletes the account waits, and finds it. That the account
 * was there when the call was let in is not enough.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when it was deleted
 */
export async function holdAccount(
  db: Pick<Database, 'select'>,
  accountId: string,
): Promise<typeof account.$inferSelect> {
  const [row] = await db
    .select()
    .from(account)
    .where(and(eq(account.id, accountId), isNull(account.removed)))
    .for('share');
  if (!row) throw accountGone(accountId);
  return row;
}

/**
 * As `holdAccount`, for who starts a VM of it: whoever disables the account waits, and finds the job that is made here.
 *
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when it was deleted, SLIPWAY_PERMISSION_DENIED when it was disabled
 */
export async function holdAccountToRun(db: Pick<Database, 'select'>, accountId: string): Promise<void> {
  const { accountName, state } = await holdAccount(db, accountId);
  if (state !== 'disabled') return;
  throw new SlipwayError(
    'SLIPWAY_PERMISSION_DENIED',
    `Account ${accountName} is disabled: no virtual machine of it is started`,
  );
}

/** As `holdAccount`, in the statement that this stands in; NULL when it was deleted. */
export const heldAccount = (accountId: string): SQL<string> =>
  sql`(select ${account.id} from ${account} where ${account.id} = ${accountId} and ${account.removed} is null for share)`;

/** @throws SlipwayError SLIPWAY_PARAMETER_INVALID where the id of an account was to be written that is none */
export async function refuseGone<Result>(accountId: string, work: PromiseLike<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (!isNullViolation(error, 'account_id')) throw error;
    throw accountGone(accountId);
  }
}

export const accountGone = (accountId: string): SlipwayError =>
  new SlipwayError('SLIPWAY_PARAMETER_INVALID', `Unable to find account by id ${accountId}`);
