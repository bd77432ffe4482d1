import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { event, host } from '../../../db/schema/index.js';
import type { HostStatus, PoolPlace } from '../../../shared/hosts.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { createControlActivities } from '../index.js';

/** A try of an activity that timed out may still be at work when its successors, and what came then, are recorded. */
describe('what was said of a host before, and is recorded late', () => {
  let database: TestDatabase;
  let activities: ReturnType<typeof createControlActivities>;
  let hostId: string;
  const pool: PoolPlace = { poolId: crypto.randomUUID(), type: 'Filesystem', path: '/pool' };

  beforeAll(async () => {
    database = await createTestDatabase();
    activities = createControlActivities({ ...database, client: {} as ControlPlane['client'] });
    const joined = { name: 'host-1', clusterId: database.seeded.clusterId, publicKey: 'key', pools: [pool] };
    ({ hostId } = await joinHost(database.databaseUrl, joined));
  });
  afterAll(() => database.drop());
  beforeEach(() => database.db.update(host).set({ lastWordMs: null, status: 'Connecting', bootId: null }));

  const statusOf = (bootId: string): HostStatus => ({
    facts: {
      bootId,
      arch: 'x86_64',
      cpus: 4,
      cpuSpeedMhz: 1000,
      memoryBytes: 1000,
      domainType: 'kvm',
      hypervisorVersion: 'QEMU',
      pools: [{ ...pool, capacityBytes: 1, usedBytes: 1 }],
    },
    domains: [],
  });
  const say = {
    hello: (sentMs: number, bootId = 'first') =>
      activities.recordHello({ hostId, sentMs, status: statusOf(bootId), partials: [] }),
    status: (sentMs: number, bootId = 'first') =>
      activities.recordHostStatus({ hostId, sentMs, status: statusOf(bootId) }),
    up: (sentMs: number, bootId = 'first') => activities.markHostUp({ hostId, sentMs, bootId }),
    down: (sentMs: number) => activities.markHostDown({ hostId, sentMs }),
    alert: (sentMs: number) => activities.markHostAlert({ hostId, sentMs, reason: 'libvirt is away' }),
  };
  const hostRow = async () => (await database.db.select().from(host).where(eq(host.id, hostId)))[0]!;

  it.each(['hello', 'status', 'up'] as const)('does not show it as Up that is Down since: %s', async (late) => {
    await say.hello(1);
    await say.up(2);
    await say.down(10);
    await say[late](5).catch(() => undefined);
    expect(await hostRow()).toMatchObject({ status: 'Down', bootId: 'first' });
  });

  it.each(['hello', 'status', 'up', 'down', 'alert'] as const)(
    'does not bring back the worker that was there before, nor its end: %s',
    async (late) => {
      await say.hello(1);
      await say.hello(10, 'second');
      await say.up(11, 'second');
      await say[late](9).catch(() => undefined);
      expect(await hostRow()).toMatchObject({ status: 'Up', bootId: 'second' });
    },
  );

  it('says to whoever asks that it was late', async () => {
    await say.hello(10);
    for (const late of [say.hello(9), say.status(9)])
      await expect(late).rejects.toMatchObject({ code: 'SLIPWAY_FENCED' });
  });

  it('counts once more when it is the last: its try was repeated', async () => {
    await say.hello(1);
    for (const _ of ['first', 'second']) await say.up(2);
    expect(await hostRow()).toMatchObject({ status: 'Up' });
    const isOfHost = eq(event.type, 'HOST.UP');
    const before = await database.db.$count(event, isOfHost);
    await say.status(3);
    expect(await database.db.$count(event, isOfHost)).toBe(before);
  });

  it('counts after one of a clock that was wrong', async () => {
    await say.hello(Date.now() + 365 * 24 * 3_600_000);
    await say.hello(Date.now(), 'second');
    expect(await hostRow()).toMatchObject({ bootId: 'second' });
  });
});
