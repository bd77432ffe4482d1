import { and, eq, isNull, sql } from 'drizzle-orm';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import type { PoolPlace } from '../shared/hosts.js';
import { createCluster, removeCluster } from './clusters.js';
import { createJoinToken, type JoinTokenPurpose, lockJoinToken } from './host-join-tokens.js';
import { addHost, joinHost } from './join-host.js';
import { joinWithToken } from './join-with-token.js';
import type { Caller } from './reads/find-caller.js';
import { revokeHost } from './revoke-host.js';
import { account, cluster, host, storagePool, user } from './schema/index.js';

let database: TestDatabase;
let caller: Caller;

beforeAll(async () => {
  database = await createTestDatabase();
  const [admin] = await database.db.select().from(user).limit(1);
  const { id: userId, accountId, domainId } = admin!;
  caller = { userId, accountId, domainId, domainPath: '/', role: 'Admin' };
});
afterAll(() => database.drop());

const newToken = async (purpose: JoinTokenPurpose, by: Pick<Caller, 'userId' | 'accountId'> = caller) =>
  (await createJoinToken(database.db, by, purpose, 60)).token;
const pool = (): PoolPlace => ({ poolId: crypto.randomUUID(), type: 'SharedMountPoint', path: '/mnt' });
const machine = (pools = [pool()]) => ({ name: crypto.randomUUID(), publicKey: 'k', pools });
const isWaitedFor = () =>
  waitFor('somebody waits for a row', async () => {
    const [row] = await database.db.execute<{ count: string }>(
      "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
    );
    return row!.count === '1';
  });
/** Resolves to what went wrong with it. */
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('who joins waits for nobody who waits for him', () => {
  it('when his cluster is deleted', async () => {
    const { db, seeded } = database;
    const { zoneId, podId } = seeded;
    const clusterId = (await createCluster(db, caller, { name: 'doomed', zoneId, podId }))!;
    const token = await newToken({ clusterId });
    let removal: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await lockJoinToken(tx, token);
      removal = failureOf(removeCluster(db, caller, clusterId));
      await isWaitedFor();
      await addHost(tx, { ...machine(), clusterId });
    });
    expect(await removal).toMatchObject({ code: 'SLIPWAY_RESOURCE_IN_USE' });
    expect(await db.$count(cluster, and(eq(cluster.id, clusterId), isNull(cluster.removed)))).toBe(1);
  });

  it('when his host is revoked', async () => {
    const { db, databaseUrl, seeded } = database;
    const { hostId } = await joinHost(databaseUrl, { ...machine(), clusterId: seeded.clusterId });
    const token = await newToken({ hostId });
    let revocation: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await lockJoinToken(tx, token);
      revocation = failureOf(revokeHost(db, caller, hostId, true));
      await isWaitedFor();
      await tx.update(host).set({ publicKey: 'another' }).where(eq(host.id, hostId));
    });
    expect(await revocation).toBeUndefined();
    const [self] = await db.select().from(host).where(eq(host.id, hostId));
    expect(self).toMatchObject({ status: 'Revoked', publicKey: null });
    await expect(joinWithToken(db, { ...machine(), token })).rejects.toMatchObject({ code: 'SLIPWAY_JOIN_TOKEN' });
  });

  it('when another host names the same pools in another order', async () => {
    const { db, databaseUrl, seeded } = database;
    const pools = [pool(), pool()].toSorted((a, b) => (a.poolId < b.poolId ? -1 : 1));
    await joinHost(databaseUrl, { ...machine(pools), clusterId: seeded.clusterId });
    const [first, second] = pools.map(({ poolId }) => eq(storagePool.id, poolId));
    const token = await newToken({ clusterId: seeded.clusterId });
    let joining: Promise<unknown> | undefined;
    await db.transaction(async (tx) => {
      await tx.select().from(storagePool).where(first).for('update');
      joining = failureOf(joinWithToken(db, { ...machine(pools.toReversed()), token }));
      await isWaitedFor();
      await tx.select().from(storagePool).where(second).for('update');
    });
    expect(await joining).toBeUndefined();
  });
});

describe('a token', () => {
  const leaver = async () => {
    const { db } = database;
    const { domainId } = caller;
    const name = crypto.randomUUID();
    const [owner] = await db.insert(account).values({ accountName: name, domainId, type: 'Admin' }).returning();
    const columns = { username: name, password: 'x', firstname: 'f', lastname: 'l', email: 'e' };
    const [admin] = await db
      .insert(user)
      .values({ ...columns, domainId, accountId: owner!.id })
      .returning();
    return { userId: admin!.id, accountId: owner!.id };
  };

  it.each<[string, (by: { userId: string; accountId: string }) => Promise<unknown>]>([
    [
      'is deleted',
      ({ userId }) =>
        database.db
          .update(user)
          .set({ removed: sql`now()` })
          .where(eq(user.id, userId)),
    ],
    ['is disabled', ({ userId }) => database.db.update(user).set({ state: 'disabled' }).where(eq(user.id, userId))],
    [
      'is of an account that is disabled',
      ({ accountId }) => database.db.update(account).set({ state: 'disabled' }).where(eq(account.id, accountId)),
    ],
    [
      'is none any more',
      ({ accountId }) => database.db.update(account).set({ type: 'User' }).where(eq(account.id, accountId)),
    ],
  ])('is good for nothing once the admin who made it %s', async (_, leave) => {
    const { db, seeded } = database;
    const by = await leaver();
    const token = await newToken({ clusterId: seeded.clusterId }, by);
    await leave(by);
    await expect(joinWithToken(db, { ...machine(), token })).rejects.toThrow('may not make one now');
  });

  it('has no revoked host trusted again that was revoked once more since it was made', async () => {
    const { db, databaseUrl, seeded } = database;
    const { hostId } = await joinHost(databaseUrl, { ...machine(), clusterId: seeded.clusterId });
    await revokeHost(db, caller, hostId, true);
    const token = await newToken({ hostId });
    await revokeHost(db, caller, hostId, false);
    await expect(joinWithToken(db, { ...machine(), token })).rejects.toMatchObject({ code: 'SLIPWAY_JOIN_TOKEN' });
    const [self] = await db.select().from(host).where(eq(host.id, hostId));
    expect(self).toMatchObject({ status: 'Revoked', publicKey: null });
  });
});
