import { createHash } from 'node:crypto';
import { eq, lt, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { loginAttempt } from './schema/index.js';

/** How long attempts count, from the first of them. */
export const ATTEMPTS_COUNT_MIN = 15;

const isOver = sql`${loginAttempt.since} < now() - make_interval(mins => ${ATTEMPTS_COUNT_MIN})`;

const hashed = (subject: string): string => createHash('sha256').update(subject).digest('hex');

/**
 * Counts an attempt before the password is looked at: of any number that come at once none is looked at in excess.
 *
 * @param subject an address, or a user's name with its domain
 * @returns how many there were of late, with this one
 */
export async function countAttempt(db: Pick<Database, 'insert' | 'delete'>, subject: string): Promise<number> {
  const [row] = await db
    .insert(loginAttempt)
    .values({ subject: hashed(subject), attempts: 1 })
    .onConflictDoUpdate({
      target: loginAttempt.subject,
      set: {
        attempts: sql`case when ${isOver} then 1 else ${loginAttempt.attempts} + 1 end`,
        since: sql`case when ${isOver} then now() else ${loginAttempt.since} end`,
      },
    })
    .returning({ attempts: loginAttempt.attempts });
  return row!.attempts;
}

/** The attempt was no failure. */
export async function uncountAttempt(db: Pick<Database, 'update'>, subject: string): Promise<void> {
  await db
    .update(loginAttempt)
    .set({ attempts: sql`greatest(${loginAttempt.attempts} - 1, 0)` })
    .where(eq(loginAttempt.subject, hashed(subject)));
}

export async function forgetAttempts(db: Pick<Database, 'delete'>, subject: string): Promise<void> {
  await db.delete(loginAttempt).where(eq(loginAttempt.subject, hashed(subject)));
}

/** Those that count no more: strangers type any number of names. */
export async function forgetOldAttempts(db: Pick<Database, 'delete'>): Promise<void> {
  await db
    .delete(loginAttempt)
    .where(lt(loginAttempt.since, sql`now() - make_interval(mins => ${ATTEMPTS_COUNT_MIN})`));
}
