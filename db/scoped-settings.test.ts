import { eq } from 'drizzle-orm';
import { defaultSettings } from '../shared/settings.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { joinHost } from './join-host.js';
import { configuration, configurationScoped, dataCenter, storagePool } from './schema/index.js';
import { readScopedSettings, readSettingsOf } from './scoped-settings.js';

const CAP = 'direct.download.bandwidth.host';
const FACTOR = 'storage.overprovisioning.factor';

let database: TestDatabase;
let hostId: string;
let poolId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const pools = [{ poolId: crypto.randomUUID(), path: '/pool', type: 'Filesystem' as const }];
  const host = { name: 'host-1', clusterId: database.seeded.clusterId, publicKey: 'key', pools };
  ({ hostId } = await joinHost(database.databaseUrl, host));
  poolId = (await database.db.select().from(storagePool))[0]!.id;
});
afterEach(async () => {
  await database.db.delete(configuration);
  await database.db.delete(configurationScoped);
});
afterAll(() => database.drop());

describe('readSettingsOf', () => {
  it('has what the cluster and the zone of a host have, and a pool its own beside those', async () => {
    const { db, seeded } = database;
    const { zoneId, clusterId } = seeded;
    const capOf = async (owner: Parameters<typeof readSettingsOf>[1]) => (await readSettingsOf(db, owner))[CAP];
    await db.insert(configuration).values({ name: CAP, value: '1' });
    expect(await capOf({ hostId })).toBe('1');
    await db.insert(configurationScoped).values([
      { name: CAP, value: '2', zoneId },
      { name: FACTOR, value: '7', poolId },
    ]);
    expect(await Promise.all([{ hostId }, { poolId }, { clusterId }, { zoneId }].map(capOf))).toEqual([
      '2',
      '2',
      '2',
      '2',
    ]);
    await db.insert(configurationScoped).values({ name: CAP, value: '3', clusterId });
    expect(await Promise.all([{ hostId }, { clusterId }, { zoneId }].map(capOf))).toEqual(['3', '3', '2']);
    expect(await readSettingsOf(db, { poolId })).toMatchObject({ [FACTOR]: '7' });
    expect(await readSettingsOf(db, { hostId })).toMatchObject({ [FACTOR]: '2' });
  });

  it('puts an account before its zone', async () => {
    const { db, seeded } = database;
    const { zoneId } = seeded;
    const accountId = (await db.query.account.findFirst())!.id;
    const NAME = 'allow.user.network';
    const now = async (owner: { accountId: string; zoneId?: string }) => (await readSettingsOf(db, owner))[NAME];
    await db.insert(configurationScoped).values({ name: NAME, value: 'false', zoneId });
    expect(await now({ accountId, zoneId })).toBe('false');
    expect(await now({ accountId })).toBe('true');
    await db.insert(configurationScoped).values({ name: NAME, value: 'true', accountId });
    expect(await now({ accountId, zoneId })).toBe('true');
  });

  it('leaves out what somebody put there that the setting cannot hold, or not for that', async () => {
    const { db, seeded } = database;
    const { zoneId, clusterId } = seeded;
    await db.insert(configuration).values({ name: CAP, value: '5' });
    await db.insert(configurationScoped).values([
      { name: CAP, value: 'fast', zoneId },
      { name: 'expunge.delay', value: '7', zoneId },
      { name: 'of.another.version', value: '7', clusterId },
    ]);
    const warnings: string[] = [];
    expect(await readSettingsOf(db, { hostId }, (text) => warnings.push(text))).toEqual({
      ...defaultSettings(),
      [CAP]: '5',
    });
    expect(warnings).toEqual([expect.stringMatching(/The database has "fast": what counts for all is used$/)]);
  });
});

describe('readScopedSettings', () => {
  it('has what counts in a zone and what is in it, and of no other', async () => {
    const { db, seeded } = database;
    const { zoneId, clusterId } = seeded;
    const [other] = await db.insert(dataCenter).values({ name: 'other' }).returning();
    await db.insert(configurationScoped).values([
      { name: CAP, value: '1', zoneId },
      { name: CAP, value: '2', clusterId },
      { name: CAP, value: '3', zoneId: other!.id },
      { name: FACTOR, value: '4', poolId },
      { name: 'allow.user.network', value: 'false', accountId: (await db.query.account.findFirst())!.id },
    ]);
    const settings = await readScopedSettings(db, zoneId);
    expect(settings.at({ zoneId })).toEqual({ ...defaultSettings(), [CAP]: '1' });
    expect(settings.at({ zoneId, clusterId })).toEqual({ ...defaultSettings(), [CAP]: '2' });
    expect(settings.at({ zoneId, clusterId, poolId })).toEqual({ ...defaultSettings(), [CAP]: '2', [FACTOR]: '4' });
    expect(settings.at({ zoneId: other!.id })).toEqual(defaultSettings());
    expect((await readScopedSettings(db)).at({ zoneId: other!.id })).toEqual({ ...defaultSettings(), [CAP]: '3' });
    await db.delete(dataCenter).where(eq(dataCenter.id, other!.id));
    expect((await readScopedSettings(db)).at({ zoneId: other!.id })).toEqual(defaultSettings());
  });
});
