import { eq } from 'drizzle-orm';
import { account, configuration, event } from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import { SETTING_NAMES } from '../../shared/settings.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { canonicalStrings } from '../auth/canonical-strings.js';
import { sign } from '../auth/signature.js';
import { configurationFields } from '../responses/configuration.js';

const REDIRECTS = 'store.download.follow.redirects';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterEach(async () => {
  await gateway.db.delete(configuration);
  await gateway.db.delete(event);
});
afterAll(() => gateway.stop());

const list = (parameters: Record<string, string | number> = {}) => gateway.admin.call('listConfigurations', parameters);
const update = (parameters: Record<string, string>) => gateway.admin.call('updateConfiguration', parameters);
const names = (answer: Record<string, unknown>) =>
  ((answer['configuration'] ?? []) as { name: string }[]).map(({ name }) => name);

describe('listConfigurations', () => {
  it('has every setting with its value and its default, in order', async () => {
    await update({ name: 'host.reconnect.grace', value: '7' });
    const answer = await list();
    expect(answer['count']).toBe(SETTING_NAMES.length);
    expect(names(answer)).toEqual(SETTING_NAMES.toSorted());
    for (const item of answer['configuration'] as object[]) {
      expect(Object.keys(item).toSorted()).toEqual(Object.keys(configurationFields).toSorted());
    }
    expect(answer['configuration']).toContainEqual({
      name: 'host.reconnect.grace',
      value: '7',
      defaultvalue: '60',
      category: 'Advanced',
      description:
        'How long a download waits for a host worker that went away before another host is tried. ' +
        'It has to be a whole number from 0 to 86400 (s).',
      displaytext: 'Host reconnect grace',
      type: 'Number',
      isdynamic: true,
    });
  });

  it.each<[Record<string, string | number>, string[]]>([
    [{ name: 'RECONNECT' }, ['host.reconnect.grace']],
    [{ keyword: 'hash' }, []],
    [{ keyword: 'root disks' }, ['storage.overprovisioning.factor']],
    [{ name: 'bandwidth', keyword: 'pool' }, ['direct.download.bandwidth.pool']],
    [{ name: 'bandwidth', category: 'advanced', page: 2, pagesize: 2 }, ['direct.download.bandwidth.pool']],
    [{ category: 'Secure' }, []],
    [{ name: '%' }, []],
  ])('finds %j', async (parameters, expected) => {
    expect(names(await list(parameters))).toEqual(expected);
  });

  it('counts what matches behind the last page too', async () => {
    expect(await list({ name: 'bandwidth', page: 9, pagesize: 2 })).toEqual({ count: 3 });
  });

  it('has settings only, no other facts of the installation', async () => {
    await gateway.db.insert(configuration).values({ name: 'slipway.installation.id', value: 'x' });
    expect(await list({ keyword: 'installation.id' })).toEqual({});
  });
});

describe('updateConfiguration', () => {
  it('changes a setting, answers with it and notes who did it', async () => {
    expect(await update({ name: REDIRECTS.toUpperCase(), value: ' True' })).toMatchObject({
      configuration: { name: REDIRECTS, value: 'true', defaultvalue: 'false' },
    });
    expect(await readSettings(gateway.db)).toMatchObject({ [REDIRECTS]: 'true' });
    const [admin] = await gateway.db.select().from(account).where(eq(account.accountName, 'admin'));
    expect(await gateway.db.select().from(event)).toEqual([
      expect.objectContaining({
        type: 'CONFIGURATION.VALUE.EDIT',
        accountId: admin!.id,
        description: `The setting ${REDIRECTS} was changed from "false" to "true"`,
      }),
    ]);
  });

  it.each([' ', 'null'])('goes back to the default with %j', async (value) => {
    await update({ name: REDIRECTS, value: 'true' });
    expect(await update({ name: REDIRECTS, value })).toMatchObject({ configuration: { value: 'false' } });
    expect(await gateway.db.select().from(configuration)).toEqual([]);
  });

  it('goes back to the default with an empty value', async () => {
    await update({ name: REDIRECTS, value: 'true' });
    // Signed here: the client leaves empty values out, as most do.
    const { apiKey, secretKey } = gateway.seeded.admin;
    const entries = Object.entries({ command: 'updateConfiguration', name: REDIRECTS, value: '', apiKey });
    const signature = sign(canonicalStrings(entries)[0]!, secretKey);
    const form = new URLSearchParams([...entries, ['signature', signature]]);
    const response = await fetch(gateway.endpoint, { method: 'POST', body: form });
    expect(await response.text()).toContain('<value>false</value>');
    expect(await gateway.db.select().from(configuration)).toEqual([]);
  });

  it('changes nothing without a value', async () => {
    await update({ name: REDIRECTS, value: 'true' });
    expect(await update({ name: REDIRECTS })).toMatchObject({ configuration: { value: 'true' } });
    expect(await readSettings(gateway.db)).toMatchObject({ [REDIRECTS]: 'true' });
  });

  it.each([
    [
      { name: 'direct.download.socket.timeout', value: '-5' },
      'The setting direct.download.socket.timeout has to be a whole number from 100 to 3600000 (ms). It cannot be -5',
    ],
    [{ name: REDIRECTS, value: 'yes' }, `The setting ${REDIRECTS} has to be true or false. It cannot be yes`],
    [
      { name: 'secstorage.allowed.internal.sites', value: '127.0.0.0/8,lan' },
      'The setting secstorage.allowed.internal.sites has to be empty, or CIDRs and IP addresses with commas between ' +
        'them, as 10.0.0.0/8,fd00::/8. It cannot be 127.0.0.0/8,lan',
    ],
    [{ name: 'no.such.setting', value: '1' }, "Config parameter with name no.such.setting doesn't exist"],
    [
      { name: 'slipway.installation.id', value: '1' },
      "Config parameter with name slipway.installation.id doesn't exist",
    ],
    [{ name: 'toString', value: '1' }, "Config parameter with name toString doesn't exist"],
  ])('refuses %j', async (parameters, errortext) => {
    await expect(update(parameters)).rejects.toMatchObject({ errorcode: 431, errortext });
    expect(await gateway.db.select().from(configuration)).toEqual([]);
    expect(await gateway.db.select().from(event)).toEqual([]);
  });

  it('refuses the scope of a zone, which would change the setting of all', async () => {
    const zoneid = gateway.seeded.zoneId;
    await expect(update({ name: REDIRECTS, value: 'true', zoneid })).rejects.toMatchObject({ errorcode: 431 });
  });
});

it('is for root admins only', async () => {
  const { client } = await gateway.addUser('somebody', 'DomainAdmin');
  for (const command of ['listConfigurations', 'updateConfiguration']) {
    await expect(client.call(command, { name: REDIRECTS, value: 'true' })).rejects.toMatchObject({ errorcode: 432 });
  }
});
