import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import type { PoolPlace } from '../shared/hosts.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { waitFor } from '../tests/support/wait-for.js';
import { joinHost } from './join-host.js';
import { cluster, dataCenter, host, hostPodRef, storagePool, storagePoolHostRef } from './schema/index.js';

let database: TestDatabase;
let clusterId: string;
let poolId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ clusterId } = database.seeded);
});
afterAll(() => database.drop());
beforeEach(() => {
  poolId = randomUUID();
});

const own = (changes: Partial<PoolPlace> = {}): PoolPlace => ({
  poolId,
  type: 'Filesystem',
  path: '/pool',
  ...changes,
});
const shared = (changes: Partial<PoolPlace> = {}): PoolPlace => own({ type: 'NetworkFilesystem', ...changes });

const join = (name: string, pools: PoolPlace[], inCluster = clusterId): Promise<{ hostId: string }> =>
  joinHost(database.databaseUrl, { name: `${name}-${poolId}`, clusterId: inCluster, publicKey: 'key', pools });

const pool = async () => (await database.db.select().from(storagePool).where(eq(storagePool.id, poolId)))[0]!;
const refs = () => database.db.select().from(storagePoolHostRef).where(eq(storagePoolHostRef.poolId, poolId));

async function newCluster(zoneId: string): Promise<string> {
  const [pod] = await database.db.insert(hostPodRef).values({ name: randomUUID(), dataCenterId: zoneId }).returning();
  const values = { name: 'cluster', dataCenterId: zoneId, podId: pod!.id };
  return (await database.db.insert(cluster).values(values).returning())[0]!.id;
}

test('should give the same host for the same name, and follow its directory', async () => {
  const first = await join('host', [own()]);
  expect(await join('host', [own({ path: '/elsewhere' })])).toEqual(first);
  expect(await pool()).toMatchObject({ poolType: 'Filesystem', scope: 'HOST', name: `host-${poolId}-pool` });
  expect(await refs()).toMatchObject([{ ...first, poolId, localPath: '/elsewhere' }]);
});

test('should give the same host for its id, whatever it is called now', async () => {
  const { hostId } = await join('host', [own()]);
  await database.db
    .update(host)
    .set({ name: `renamed-${poolId}` })
    .where(eq(host.id, hostId));
  const again = { name: `host-${poolId}`, hostId, clusterId, publicKey: 'another', pools: [own()] };
  expect(await joinHost(database.databaseUrl, again)).toEqual({ hostId });
  const [self] = await database.db.select().from(host).where(eq(host.id, hostId));
  expect(self).toMatchObject({ name: `renamed-${poolId}`, publicKey: 'another' });
});

test('should leave a host deleted that only starts once more, and others of its name alone', async () => {
  const { hostId } = await join('host', [own()]);
  await database.db.update(host).set({ removed: new Date().toISOString() }).where(eq(host.id, hostId));
  const heir = await join('host', []);
  const again = { name: `host-${poolId}`, hostId, clusterId, publicKey: 'another', pools: [own()] };
  await expect(joinHost(database.databaseUrl, again)).rejects.toMatchObject({ code: 'SLIPWAY_HOST_REMOVED' });
  const [other] = await database.db.select().from(host).where(eq(host.id, heir.hostId));
  expect(other).toMatchObject({ publicKey: 'key' });
});

test('should leave a host revoked that only starts once more', async () => {
  const { hostId } = await join('host', [own()]);
  await database.db.update(host).set({ status: 'Revoked', publicKey: null }).where(eq(host.id, hostId));
  expect(await join('host', [own()])).toEqual({ hostId });
  const [self] = await database.db.select().from(host).where(eq(host.id, hostId));
  expect(self).toMatchObject({ status: 'Revoked', publicKey: null });
});

test('should have no key for a host that is revoked, and one for any other, whoever writes to the table', async () => {
  const { hostId } = await join('host', [own()]);
  const change = (set: Partial<typeof host.$inferInsert>) =>
    database.db.update(host).set(set).where(eq(host.id, hostId));
  for (const wrong of [{ status: 'Revoked' as const }, { publicKey: null }]) {
    await expect(change(wrong)).rejects.toMatchObject({ cause: { constraint_name: 'host_public_key_check' } });
  }
});

test('should make a pool that hosts of a cluster share once, whoever comes first', async () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const joined = await Promise.all(names.map((name) => join(name, [shared({ path: `/mnt/${name}` })])));
  expect(await pool()).toMatchObject({ poolType: 'NetworkFilesystem', scope: 'CLUSTER', clusterId });
  const paths = names.map((name, index) => ({ ...joined[index]!, poolId, localPath: `/mnt/${name}` }));
  expect((await refs()).toSorted((a, b) => a.localPath.localeCompare(b.localPath))).toMatchObject(paths);
});

test('should refuse a pool whose name another one has', async () => {
  const other = { name: `shared-${poolId}`, dataCenterId: database.seeded.zoneId, scope: 'ZONE' } as const;
  await database.db.insert(storagePool).values({ ...other, poolType: 'NetworkFilesystem' });
  await expect(join('a', [shared()])).rejects.toMatchObject({
    code: 'SLIPWAY_RESOURCE_STATE',
    message: expect.stringContaining('Another pool has the name') as string,
  });
});

test('should keep a pool of a cluster from hosts of others, and give them one that was made for the zone', async () => {
  const { zoneId } = database.seeded;
  const elsewhere = await newCluster(zoneId);
  await join('a', [shared()]);
  await expect(join('b', [shared()], elsewhere)).rejects.toMatchObject({
    code: 'SLIPWAY_RESOURCE_STATE',
    message: expect.stringContaining('for the hosts of another cluster') as string,
  });
  expect(await pool()).toMatchObject({ scope: 'CLUSTER', clusterId });
  expect(await refs()).toHaveLength(1);

  poolId = randomUUID();
  const made = { id: poolId, name: `zone-${poolId}`, dataCenterId: zoneId, scope: 'ZONE' } as const;
  await database.db.insert(storagePool).values({ ...made, poolType: 'NetworkFilesystem' });
  await join('a', [shared()]);
  await join('b', [shared()], elsewhere);
  expect(await refs()).toHaveLength(2);
});

describe('architectures', () => {
  const joinAs = (arch: string, inCluster: string) =>
    joinHost(database.databaseUrl, { name: randomUUID(), clusterId: inCluster, publicKey: 'k', arch, pools: [] });
  const isWaiting = () =>
    waitFor('somebody waits for a lock', async () => {
      const rows = await database.db.execute(
        sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
  const archOf = async (id: string) => (await database.db.select().from(cluster).where(eq(cluster.id, id)))[0]!.arch;

  test('should be that of the first host in a cluster of which nobody has said it', async () => {
    const id = await newCluster(database.seeded.zoneId);
    const joining = await Promise.allSettled([joinAs('aarch64', id), joinAs('x86_64', id)]);
    expect(joining.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const arch = await archOf(id);
    await joinAs(arch!, id);
    await expect(joinAs(arch === 'x86_64' ? 'aarch64' : 'x86_64', id)).rejects.toMatchObject({
      code: 'SLIPWAY_RESOURCE_STATE',
      message: expect.stringContaining(`is for ${arch}: it needs a cluster that addCluster has made`) as string,
    });
    expect(await database.db.select().from(host).where(eq(host.clusterId, id))).toMatchObject([{ arch }, { arch }]);
  });

  test('should be that which an operator says while the first host joins', async () => {
    const id = await newCluster(database.seeded.zoneId);
    await database.db.update(cluster).set({ arch: 'x86_64' }).where(eq(cluster.id, id));
    let joining!: Promise<unknown>;
    await database.db.transaction(async (tx) => {
      // As changeCluster does.
      await tx.select().from(cluster).where(eq(cluster.id, id)).for('update');
      await tx.update(cluster).set({ arch: 'aarch64' }).where(eq(cluster.id, id));
      joining = joinAs('x86_64', id).catch((error: unknown) => error);
      await isWaiting();
    });
    expect(await joining).toMatchObject({ code: 'SLIPWAY_RESOURCE_STATE' });
    expect(await database.db.$count(host, eq(host.clusterId, id))).toBe(0);
  });

  test('should be one that there are clusters for', async () => {
    const id = await newCluster(database.seeded.zoneId);
    await expect(joinAs('riscv64', id)).rejects.toThrow('is riscv64, and clusters are x86_64 or aarch64');
    expect(await archOf(id)).toBeNull();
  });
});

test('should give a host several pools', async () => {
  const second = own({ poolId: randomUUID(), path: '/second' });
  const { hostId } = await join('host', [own(), second]);
  const mine = await database.db.select().from(storagePoolHostRef).where(eq(storagePoolHostRef.hostId, hostId));
  expect(mine.map(({ localPath }) => localPath).toSorted()).toEqual(['/pool', '/second']);
});

test.each<[string, PoolPlace, PoolPlace, RegExp]>([
  ["is another host's own", own(), own(), /another host's own/],
  [
    'has another type',
    shared(),
    shared({ type: 'SharedMountPoint' }),
    /is a NetworkFilesystem, and \S+ has it as Shared/,
  ],
])('should refuse a pool that %s, and leave nothing', async (_name, first, second, reason) => {
  await join('a', [{ ...first, poolId }]);
  const joining = join('b', [{ ...second, poolId }]);
  await expect(joining).rejects.toMatchObject({
    code: 'SLIPWAY_RESOURCE_STATE',
    message: expect.stringMatching(reason) as string,
  });
  expect(await refs()).toHaveLength(1);
});

test('should refuse a pool that is in another zone, and one that was removed', async () => {
  await join('a', [shared()]);
  const [zone] = await database.db
    .insert(dataCenter)
    .values({ name: `zone-${poolId}` })
    .returning();
  await expect(join('b', [shared()], await newCluster(zone!.id))).rejects.toThrow('is in another zone');
  await database.db.update(storagePool).set({ removed: new Date().toISOString() }).where(eq(storagePool.id, poolId));
  await expect(join('a', [shared()])).rejects.toThrow('was removed');
});
