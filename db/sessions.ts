import { createHash, randomBytes } from 'node:crypto';
import { and, eq, gt, lt, sql } from 'drizzle-orm';
import type { Database } from './client.js';
import { type Caller, callerColumns, mayCall } from './reads/find-caller.js';
import { account, domain, session, user } from './schema/index.js';

export interface SessionSecrets {
  /** The cookie. */
  token: string;
  /** What has to come beside the cookie: a page of somebody else can have the cookie sent, and cannot know this. */
  sessionKey: string;
}

const SECRET_BYTES = 32;

const hashed = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const inMinutes = (minutes: number) => sql`now() + make_interval(mins => ${minutes})`;

/** Sessions that have ended are removed by the way: there is one insert for each. */
export async function openSession(
  db: Pick<Database, 'insert' | 'delete'>,
  userId: string,
  timeoutMin: number,
): Promise<SessionSecrets> {
  const secrets = {
    token: randomBytes(SECRET_BYTES).toString('base64url'),
    sessionKey: randomBytes(SECRET_BYTES).toString('base64url'),
  };
  await db.delete(session).where(lt(session.expires, sql`now()`));
  await db.insert(session).values({
    userId,
    tokenHash: hashed(secrets.token),
    keyHash: hashed(secrets.sessionKey),
    expires: inMinutes(timeoutMin),
  });
  return secrets;
}

/**
 * Whose session it is, and lets it last. It is written to at most once in a tenth of its time.
 *
 * @returns undefined when it has ended, one of the secrets is wrong, or its user may not call any more
 */
export async function findSession(
  db: Pick<Database, 'select' | 'update'>,
  { token, sessionKey }: SessionSecrets,
  timeoutMin: number,
): Promise<{ caller: Caller; sessionId: string } | undefined> {
  const [row] = await db
    .select({
      ...callerColumns,
      sessionId: session.id,
      // It may also last too long: whoever used it last had read the timeout before that was lowered.
      isAged: sql<boolean>`${session.expires} not between
        now() + make_interval(secs => ${timeoutMin * 54}) and now() + make_interval(secs => ${timeoutMin * 60})`,
    })
    .from(session)
    .innerJoin(user, eq(user.id, session.userId))
    .innerJoin(account, eq(account.id, user.accountId))
    .innerJoin(domain, eq(domain.id, account.domainId))
    .where(
      and(
        // Hashes of random secrets: how far one that was guessed agrees tells nothing of the secret.
        eq(session.tokenHash, hashed(token)),
        eq(session.keyHash, hashed(sessionKey)),
        gt(session.expires, sql`now()`),
        mayCall,
      ),
    );
  if (!row) return undefined;
  const { sessionId, isAged, ...caller } = row;
  if (isAged) {
    await db
      .update(session)
      .set({ expires: inMinutes(timeoutMin) })
      .where(eq(session.id, sessionId));
  }
  return { caller, sessionId };
}

/**
 * For a timeout that was lowered: a session that nobody uses would last for as long as it was when it was used. A raised one
 * changes nothing until they are used.
 */
export async function shortenSessions(db: Pick<Database, 'update'>, timeoutMin: number): Promise<void> {
  const expires = inMinutes(timeoutMin);
  await db.update(session).set({ expires }).where(gt(session.expires, expires));
}

export async function closeSession(db: Pick<Database, 'delete'>, sessionId: string): Promise<void> {
  await db.delete(session).where(eq(session.id, sessionId));
}

/** All of a user, on every gateway. */
export async function endSessionsOf(db: Pick<Database, 'delete'>, userId: string): Promise<void> {
  await db.delete(session).where(eq(session.userId, userId));
}
