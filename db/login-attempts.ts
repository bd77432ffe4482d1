import { createHash } from 'node:crypto';
import { and, eq, gt, isNull, lt, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { loginAttempt } from './schema/index.js';

/** How long attempts count, from the first of them. */
export const ATTEMPTS_COUNT_MIN = 15;

/** How long a user is known where they were let in. */
const KNOWN_DAYS = 90;

const isOver = sql`${loginAttempt.since} < now() - make_interval(mins => ${ATTEMPTS_COUNT_MIN})`;
const knownSince = sql`now() - make_interval(days => ${KNOWN_DAYS})`;

const hashed = (subject: string): string => createHash('sha256').update(subject).digest('hex');

/**
 * Counts an attempt before the password is looked at: of any number that come at once none is looked at in excess.
 *
 * @param subject an address, a user's name with its domain, or both
 * @returns how many there were of late, with this one
 */
export async function countAttempt(db: Pick<Database, 'insert'>, subject: string): Promise<number> {
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

/** Whether an attempt was let in not long ago. */
export async function isKnownSubject(db: Pick<Database, 'select'>, subject: string): Promise<boolean> {
  const isHere = eq(loginAttempt.subject, hashed(subject));
  const known = await db
    .select({ subject: loginAttempt.subject })
    .from(loginAttempt)
    .where(and(isHere, gt(loginAttempt.succeeded, knownSince)));
  return known.length > 0;
}

/** The attempt was no failure. */
export async function uncountAttempt(db: Pick<Database, 'update'>, subject: string): Promise<void> {
  await db
    .update(loginAttempt)
    .set({ attempts: sql`greatest(${loginAttempt.attempts} - 1, 0)` })
    .where(eq(loginAttempt.subject, hashed(subject)));
}

/** The attempt was let in: those before it count no more. */
export async function rememberSuccess(db: Pick<Database, 'update'>, subject: string): Promise<void> {
  await db
    .update(loginAttempt)
    .set({ attempts: 0, succeeded: sql`now()` })
    .where(eq(loginAttempt.subject, hashed(subject)));
}

/** Those that count no more: strangers type any number of names. */
export async function forgetOldAttempts(db: Pick<Database, 'delete'>): Promise<void> {
  await db.delete(loginAttempt).where(and(isNull(loginAttempt.succeeded), isOver));
  await db.delete(loginAttempt).where(lt(loginAttempt.succeeded, knownSince));
}
