import { downloadSettings } from '../shared/download-settings.js';
import { defaultSettings } from '../shared/settings.js';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { configuration, event } from './schema/index.js';
import { changeSetting, readSettings, writeSettings } from './settings.js';

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
