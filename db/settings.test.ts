import { downloadSettings } from '../shared/download-settings.js';
import { defaultSettings } from '../shared/settings.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { configuration, event } from './schema/index.js';
import { applyAtStart, changeSetting, readSettings, writeSettings } from './settings.js';

let database: TestDatabase;
let accountId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  accountId = (await database.db.query.account.findFirst())!.id;
});
afterEach(() => database.db.delete(configuration));
afterAll(() => database.drop());

describe('readSettings', () => {
  it('uses the default for a row that the setting cannot hold, and says so', async () => {
    const { db } = database;
    await db.insert(configuration).values([
      { name: 'direct.download.socket.timeout', value: 'soon' },
      { name: 'max.template.iso.size', value: '-1' },
      { name: 'secstorage.allowed.internal.sites', value: 'x'.repeat(5000) },
      { name: 'store.download.follow.redirects', value: ' True ' },
      { name: 'some.other.fact', value: 'kept' },
    ]);
    const warnings: string[] = [];
    const values = await readSettings(db, (text) => warnings.push(text));
    expect(values).toMatchObject({ ...defaultSettings(), 'store.download.follow.redirects': 'true' });
    expect(downloadSettings({ ...defaultSettings(), ...values })).toMatchObject({
      socketTimeoutMs: 5000,
      maxSizeBytes: 50 * 1024 ** 3,
    });
    expect(warnings.toSorted()).toEqual([
      'The setting direct.download.socket.timeout has to be a whole number from 100 to 3600000 (ms). ' +
        'The database has "soon": the default "5000" is used',
      expect.stringContaining('The database has "-1": the default "50" is used'),
      expect.stringMatching(/The database has "x{100}…": the default "" is used$/),
    ]);
  });
});

describe('changeSetting', () => {
  const NAME = 'host.reconnect.grace';
  const change = (value: string) => changeSetting(database.db, { name: NAME, value, accountId });
  const sorted = (values: (string | undefined)[]) => values.toSorted((left, right) => Number(left) - Number(right));
  const rows = async () =>
    (await database.db.select().from(configuration)).filter(({ name }) => name === NAME).map(({ value }) => value);

  it('keeps only what differs from the default', async () => {
    await change('7');
    expect(await rows()).toEqual(['7']);
    expect(await readSettings(database.db)).toMatchObject({ [NAME]: '7' });
    await change('60');
    expect(await rows()).toEqual([]);
  });

  it('removes a row that the setting cannot hold', async () => {
    await writeSettings(database.db, { [NAME]: 'never' });
    await change('60');
    expect(await rows()).toEqual([]);
  });

  it('keeps what each change was from and to, also of changes at the same time', async () => {
    await database.db.delete(event);
    await Promise.all(['1', '2', '3', '3'].map(change));
    const texts = (await database.db.select().from(event)).map(({ description }) => description);
    const steps = texts.map((text) => /from "(\d+)" to "(\d+)"$/.exec(text)!.slice(1));
    const [last] = await rows();
    // Each value is left as often as it was come to, but for the first and the last.
    expect(sorted([...steps.map(([from]) => from), last])).toEqual(sorted(['60', ...steps.map(([, to]) => to)]));
  });

  it('notes nothing when nothing changes', async () => {
    await change('7');
    await database.db.delete(event);
    await change('7');
    expect(await database.db.select().from(event)).toEqual([]);
  });
});

describe('what a start asks for', () => {
  const SITES = 'secstorage.allowed.internal.sites';
  const LOOPBACK = { [SITES]: '127.0.0.0/8,::1/128' };
  const sites = async () => (await readSettings(database.db))[SITES];
  const texts = async () =>
    (await database.db.select().from(event).orderBy(event.created)).map(({ type, description, accountId: by }) => ({
      type,
      description,
      by,
    }));
  beforeEach(() => database.db.delete(event));

  it('is added to what operators have put on the list, and told once', async () => {
    const { db } = database;
    await changeSetting(db, { name: SITES, value: '10.0.0.0/8,::1/128', accountId });
    for (const _start of [1, 2]) await applyAtStart(db, LOOPBACK);
    expect(await sites()).toBe('10.0.0.0/8,::1/128,127.0.0.0/8');
    expect(await texts()).toEqual([
      expect.objectContaining({ by: accountId }),
      {
        type: 'CONFIGURATION.VALUE.EDIT',
        description: `The setting ${SITES} was changed from "10.0.0.0/8,::1/128" to "10.0.0.0/8,::1/128,127.0.0.0/8"`,
        by: null,
      },
    ]);
  });

  it('is all that there is on a new installation, and in place of what is no list', async () => {
    const { db } = database;
    await applyAtStart(db, LOOPBACK);
    expect(await sites()).toBe(LOOPBACK[SITES]);
    await writeSettings(db, { [SITES]: 'everything' });
    await applyAtStart(db, LOOPBACK);
    expect(await sites()).toBe(LOOPBACK[SITES]);
    expect(await texts()).toHaveLength(2);
  });

  it('takes the place of a value that is no list', async () => {
    const { db } = database;
    for (const value of ['1234', '2345']) await applyAtStart(db, { 'direct.download.connect.timeout': value });
    expect(await readSettings(db)).toMatchObject({ 'direct.download.connect.timeout': '2345' });
  });
});
