import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { and, eq, isNull, lt, sql } from 'drizzle-orm';
import { SlipwayError } from '../shared/errors.js';
import { audit } from './audit.js';
import type { Database, Transaction } from './client.js';
import { type Caller, mayCall } from './reads/find-caller.js';
import { account, cluster, host, hostJoinToken, user } from './schema/index.js';

export type JoinTokenRow = typeof hostJoinToken.$inferSelect;

/** For a machine that is to become a host of a cluster, or for an existing host that is to have another key. */
export type JoinTokenPurpose = { clusterId: string } | { hostId: string };

const SECRET_BYTES = 32;
/** `sjt_<id of the row>_<secret>`: the row is found by its id, so that the secret can be compared in constant time. */
const TOKEN = /^sjt_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
/** How long rows of dead tokens are of use to somebody who asks what became of one. */
const KEPT_DAYS = 30;

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * @returns the token, which is kept nowhere
 * @throws SlipwayError SLIPWAY_PARAMETER_INVALID when there is no such cluster or host
 */
export async function createJoinToken(
  db: Database,
  caller: Pick<Caller, 'accountId' | 'userId'>,
  purpose: JoinTokenPurpose,
  validForSeconds: number,
): Promise<{ id: string; token: string; expires: string }> {
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return db.transaction(async (tx) => {
    await tx.delete(hostJoinToken).where(lt(hostJoinToken.expires, sql`now() - make_interval(days => ${KEPT_DAYS})`));
    const resource = await resourceOf(tx, purpose);
    const [row] = await tx
      .insert(hostJoinToken)
      .values({
        ...purpose,
        accountId: caller.accountId,
        userId: caller.userId,
        secretSha256: sha256(secret).toString('hex'),
        expires: sql`now() + make_interval(secs => ${validForSeconds})`,
      })
      .returning();
    const { id, expires } = row!;
    await audit(tx, caller, {
      type: 'HOST.JOIN.TOKEN',
      description: `Token ${id} was made, with which ${resource.may} until ${expires}`,
      resourceType: resource.type,
      resourceId: resource.id,
    });
    return { id, token: `sjt_${id.replaceAll('-', '')}_${secret}`, expires };
  });
}

async function resourceOf(
  tx: Transaction,
  purpose: JoinTokenPurpose,
): Promise<{ type: string; id: string; may: string }> {
  if ('hostId' in purpose) {
    const id = purpose.hostId;
    const [self] = await tx
      .select({ name: host.name })
      .from(host)
      .where(and(eq(host.id, id), isNull(host.removed)));
    if (self) return { type: 'Host', id, may: `host ${self.name} can have new keys` };
    throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is no host ${id}`);
  }
  const id = purpose.clusterId;
  const isThere = and(eq(cluster.id, id), isNull(cluster.removed));
  const [home] = await tx.select({ name: cluster.name }).from(cluster).where(isThere);
  if (home) return { type: 'Cluster', id, may: `one host can join cluster ${home.name}` };
  throw new SlipwayError('SLIPWAY_PARAMETER_INVALID', `There is no cluster ${id}`);
}

/**
 * The row of a token that can be used now, locked: of two that come with one token the second waits, and finds it used.
 *
 * @throws SlipwayError SLIPWAY_JOIN_TOKEN. Only who knows the secret learns that it was right once
 */
export async function lockJoinToken(tx: Transaction, token: string): Promise<JoinTokenRow> {
  const [, a, b, c, d, e, secret = ''] = TOKEN.exec(token) ?? [];
  const [row] =
    a === undefined
      ? []
      : await tx
          .select({
            row: hostJoinToken,
            isExpired: sql<boolean>`${hostJoinToken.expires} <= now()`,
            isVouchedFor: sql<boolean>`${and(mayCall, eq(account.type, 'Admin'))}`,
          })
          .from(hostJoinToken)
          .innerJoin(user, eq(user.id, hostJoinToken.userId))
          .innerJoin(account, eq(account.id, hostJoinToken.accountId))
          .where(eq(hostJoinToken.id, [a, b, c, d, e].join('-')))
          .for('update', { of: hostJoinToken });
  // Also without a row: how long the answer takes must not tell whether there is one.
  const expected = row ? Buffer.from(row.row.secretSha256, 'hex') : sha256(randomBytes(SECRET_BYTES).toString('hex'));
  const isRight = timingSafeEqual(sha256(secret), expected);
  if (!row || !isRight) throw new SlipwayError('SLIPWAY_JOIN_TOKEN', 'The token is not known here');
  if (row.row.used !== null) {
    throw new SlipwayError('SLIPWAY_JOIN_TOKEN', `The token was used already, at ${row.row.used}`);
  }
  if (row.isExpired) throw new SlipwayError('SLIPWAY_JOIN_TOKEN', `The token has expired, at ${row.row.expires}`);
  // An admin who has left, or is none any more, must not have kept a way to bring machines of his own in.
  if (!row.isVouchedFor) {
    throw new SlipwayError('SLIPWAY_JOIN_TOKEN', 'The token is not good any more: who made it may not make one now');
  }
  return row.row;
}

/**
 * Locks the tokens of a cluster or host before the cluster or host itself, as whoever joins does: otherwise the two
 * would wait for each other.
 */
export async function lockTokensOf(tx: Transaction, purpose: JoinTokenPurpose): Promise<void> {
  const isOf =
    'hostId' in purpose ? eq(hostJoinToken.hostId, purpose.hostId) : eq(hostJoinToken.clusterId, purpose.clusterId);
  await tx.select({ id: hostJoinToken.id }).from(hostJoinToken).where(isOf).orderBy(hostJoinToken.id).for('update');
}

/** @throws SlipwayError SLIPWAY_JOIN_TOKEN when somebody else was faster */
export async function spendJoinToken(tx: Transaction, { id }: JoinTokenRow): Promise<void> {
  const spent = await tx
    .update(hostJoinToken)
    .set({ used: sql`now()` })
    .where(and(eq(hostJoinToken.id, id), isNull(hostJoinToken.used)))
    .returning({ id: hostJoinToken.id });
  if (spent.length === 0) throw new SlipwayError('SLIPWAY_JOIN_TOKEN', 'The token was used already');
}
