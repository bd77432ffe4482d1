import { and, eq } from 'drizzle-orm';
import type { Transaction } from './client.js';
import { mayCall } from './reads/find-caller.js';
import { account, user } from './schema/index.js';

/**
 * Keeps a user as they were found until the transaction ends. A password takes long to look at: meanwhile it may have been
 * changed, and all sessions ended for that.
 *
 * @returns false when the user has another password, or may call no more
 */
export async function holdLogin(
  tx: Transaction,
  { user: found }: { user: Pick<typeof user.$inferSelect, 'id' | 'accountId' | 'password'> },
): Promise<boolean> {
  // Before the user, as whoever deletes or disables the account does.
  await tx.select({ id: account.id }).from(account).where(eq(account.id, found.accountId)).for('share');
  const held = await tx
    .select({ id: user.id })
    .from(user)
    .innerJoin(account, eq(account.id, user.accountId))
    .where(and(eq(user.id, found.id), eq(user.password, found.password), mayCall))
    .for('no key update', { of: user });
  return held.length > 0;
}
