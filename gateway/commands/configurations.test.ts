import { eq } from 'drizzle-orm';
import {
  account,
  cluster,
  configuration,
  configurationScoped,
  domain,
  event,
  host,
  storagePool,
} from '../../db/schema/index.js';
import { joinHost } from '../../db/join-host.js';
import { readSettings } from '../../db/settings.js';
import { SETTING_NAMES, settingEntry } from '../../shared/settings.js';
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
  await gateway.db.delete(configurationScoped);
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
      expect(Object.keys(configurationFields)).toEqual(expect.arrayContaining(Object.keys(item)));
    }
    expect(answer['configuration']).toContainEqual({
      name: 'host.reconnect.grace',
      value: '7',
      defaultvalue: '60',
      category: 'Advanced',
      group: 'Hypervisor',
      subgroup: 'Hypervisor',
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
    [{ category: 'storage', group: 'infrastructure', keyword: 'promised' }, ['storage.overprovisioning.factor']],
    [{ group: 'Hypervisor' }, ['host.reconnect.grace']],
    [{ group: 'Storage', subgroup: 'volume' }, ['create.full.clone']],
    [{ parent: 'event.purge.delay' }, ['event.purge.interval']],
    [{ parent: 'no.such.setting' }, []],
    [{ name: '%' }, []],
  ])('finds %j', async (parameters, expected) => {
    expect(names(await list(parameters))).toEqual(expected);
  });

  it('counts what matches behind the last page too', async () => {
    expect(await list({ name: 'bandwidth', page: 9, pagesize: 2 })).toEqual({ count: 3 });
  });

  it.each([
    [{ subgroup: 'Images' }, 'Configuration group name must be specified with the subgroup name'],
    [{ group: 'Colours' }, 'Invalid configuration group: Colours'],
    [{ group: 'Storage', subgroup: 'Blue' }, 'Invalid configuration subgroup: Blue'],
  ])('refuses %j', async (parameters, errortext) => {
    await expect(list(parameters)).rejects.toMatchObject({ errorcode: 431, errortext });
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
});

describe('settings of zones, clusters, pools and accounts', () => {
  const FACTOR = 'cpu.overprovisioning.factor';
  const CAP = 'direct.download.bandwidth.host';
  let domainId: string;
  let owners: Record<'zoneid' | 'clusterid' | 'storageid' | 'accountid', string>;

  beforeAll(async () => {
    const { db, seeded } = gateway;
    const { accountId } = await gateway.addUser('owner', 'User');
    domainId = (await db.select().from(domain))[0]!.id;
    const [pool] = await db
      .insert(storagePool)
      .values({ name: 'pool-1', dataCenterId: seeded.zoneId, poolType: 'Filesystem', scope: 'HOST' })
      .returning();
    owners = { zoneid: seeded.zoneId, clusterid: seeded.clusterId, storageid: pool!.id, accountid: accountId };
  });

  const reset = (parameters: Record<string, string>) => gateway.admin.call('resetConfiguration', parameters);
  const valueOf = async (parameters: Record<string, string>) =>
    ((await list(parameters))['configuration'] as { name: string; value: string }[]).map(({ value }) => value);
  const texts = async () => (await gateway.db.select().from(event)).map(({ description }) => description);

  it.each([
    ['zoneid', 'zone', 'Zone', 'allow.user.network', 'true', 'false'],
    ['clusterid', 'cluster', 'Cluster', FACTOR, '1', '2.5'],
    ['storageid', 'storagepool', 'StoragePool', 'create.full.clone', 'false', 'true'],
    ['accountid', 'account', 'Account', 'allow.user.expunge.recover.vm', 'false', 'true'],
  ] as const)('are changed with %s, listed, reset and kept in events', async (key, scope, type, name, from, to) => {
    const owner = { [key]: owners[key] };
    expect(await update({ name, value: to, ...owner })).toMatchObject({ configuration: { name, value: to, scope } });
    expect((await list({ name, ...owner }))['configuration']).toMatchObject([{ value: to, defaultvalue: from, scope }]);
    expect(await valueOf({ name })).toEqual([from]);
    expect(await reset({ name, ...owner })).toMatchObject({ configuration: { value: from, scope } });
    expect(await gateway.db.select().from(configurationScoped)).toEqual([]);
    const [changed, forgotten] = await gateway.db.select().from(event).orderBy(event.created);
    expect([changed, forgotten]).toMatchObject([
      { resourceType: type, resourceId: owners[key], type: 'CONFIGURATION.VALUE.EDIT' },
      { resourceType: type, resourceId: owners[key] },
    ]);
    expect(changed!.description).toMatch(new RegExp(`^The setting ${name} of \\w+ \\S+ was .*"${from}" to "${to}"$`));
    expect(forgotten!.description).toMatch(/from ".*" to ".*": it has none of its own any more$/);
  });

  it('follow what is around them as long as they have nothing of their own', async () => {
    const { zoneid, clusterid } = owners;
    await update({ name: CAP, value: '1' });
    expect(await valueOf({ name: CAP, clusterid })).toEqual(['1']);
    await update({ name: CAP, value: '2', zoneid });
    expect(await valueOf({ name: CAP, clusterid })).toEqual(['2']);
    await update({ name: CAP, value: '3', clusterid });
    expect(await valueOf({ name: CAP, clusterid })).toEqual(['3']);
    expect(await valueOf({ name: CAP, zoneid })).toEqual(['2']);
    expect(await update({ name: CAP, value: 'null', clusterid })).toMatchObject({ configuration: { value: '2' } });
    expect(await reset({ name: CAP })).toMatchObject({ configuration: { value: '0' } });
    expect(await valueOf({ name: CAP, clusterid })).toEqual(['2']);
  });

  it('count in what lists say of hosts', async () => {
    const { clusterid } = owners;
    const { hostId } = await joinHost(gateway.databaseUrl, {
      name: 'host-1',
      clusterId: clusterid,
      publicKey: 'key',
      pools: [],
    });
    await gateway.db
      .update(host)
      .set({ cpus: 2, speedMhz: 1000, ramBytes: 4096, cpuUsedMhz: 1500, ramUsedBytes: 3072 });
    await update({ name: FACTOR, value: '3', clusterid });
    await update({ name: 'mem.overprovisioning.factor', value: '1.5', clusterid });
    expect(await gateway.admin.call('listHosts', { id: hostId })).toMatchObject({
      host: [
        {
          cpuallocated: '75.00%',
          cpuwithoverprovisioning: '6000',
          cpuallocatedwithoverprovisioning: '25.00%',
          cpuallocatedpercentage: '25.00%',
          memorywithoverprovisioning: '6144',
          memoryallocatedpercentage: '50.00%',
        },
      ],
    });
  });

  it('are listed alone, as many as can be set there, and count right behind the last page', async () => {
    const { clusterid } = owners;
    const all = names(await list({ clusterid }));
    expect(all).toEqual(SETTING_NAMES.filter((name) => settingEntry(name).scopes?.includes('Cluster')).toSorted());
    expect(await list({ clusterid, page: 9, pagesize: 1 })).toEqual({ count: all.length });
    expect(await list({ domainid: domainId })).toEqual({});
  });

  it('are changed at the same time without losing what was there in between', async () => {
    const change = (value: string) => update({ name: FACTOR, value, clusterid: owners.clusterid });
    await Promise.all(['2', '3', '4'].map(change));
    const steps = (await texts()).map((text) => /from "(\d+)" to "(\d+)"$/.exec(text)!.slice(1));
    expect(steps).toHaveLength(3);
    expect(new Set(steps.map(([from]) => from)).size).toBe(3);
    expect(await gateway.db.select().from(configurationScoped)).toHaveLength(1);
  });

  it('note nothing when nothing changes', async () => {
    const { clusterid } = owners;
    await update({ name: FACTOR, value: '2', clusterid });
    await gateway.db.delete(event);
    await update({ name: FACTOR, value: '2.0', clusterid });
    await update({ name: FACTOR, clusterid });
    await reset({ name: CAP, clusterid });
    expect(await texts()).toEqual([]);
  });

  it.each<[string, () => Record<string, string>, string]>([
    ['a scope that the setting has not', () => ({ zoneid: owners.zoneid }), `provided for the parameter ${FACTOR}`],
    ['a domain', () => ({ domainid: domainId }), `Invalid scope id provided for the parameter ${FACTOR}`],
    ['several at once', () => owners, 'cannot handle multiple IDs, provide only one ID corresponding to the scope'],
    ['an unknown cluster', () => ({ clusterid: owners.zoneid }), 'Invalid parameter clusterid value='],
    ['an image store', () => ({ imagestoreuuid: owners.zoneid }), 'does not support parameter imagestoreuuid'],
    ['what it cannot hold', () => ({ clusterid: owners.clusterid, value: '0' }), 'has to be a number from 1 to 100'],
  ])('refuse %s', async (_, parameters, text) => {
    const errortext = expect.stringContaining(text) as string;
    await expect(update({ name: FACTOR, value: '2', ...parameters() })).rejects.toMatchObject({
      errorcode: 431,
      errortext,
    });
    expect(await gateway.db.select().from(configurationScoped)).toEqual([]);
    expect(await texts()).toEqual([]);
  });

  it('go with what they belong to, and cannot be changed any more', async () => {
    const { db, seeded } = gateway;
    const [old] = await db.select().from(cluster).where(eq(cluster.id, seeded.clusterId));
    const { id: clusterid } = (
      await db.insert(cluster).values({ name: 'old', dataCenterId: old!.dataCenterId, podId: old!.podId }).returning()
    )[0]!;
    await update({ name: FACTOR, value: '2', clusterid });
    await update({ name: FACTOR, value: '3', clusterid: seeded.clusterId });
    await db.update(cluster).set({ removed: new Date().toISOString() }).where(eq(cluster.id, clusterid));
    expect(await db.select().from(configurationScoped)).toMatchObject([{ clusterId: seeded.clusterId, value: '3' }]);
    await expect(update({ name: FACTOR, value: '2', clusterid })).rejects.toMatchObject({ errorcode: 431 });
    await expect(reset({ name: FACTOR, clusterid })).rejects.toMatchObject({ errorcode: 431 });
    await db.delete(cluster).where(eq(cluster.id, clusterid));
  });

  it('belong to exactly one, and are there once', async () => {
    const { db } = gateway;
    const { clusterid: clusterId, zoneid: zoneId } = owners;
    const row = { name: FACTOR, value: '2' };
    await db.insert(configurationScoped).values({ ...row, clusterId });
    for (const wrong of [{}, { clusterId, zoneId }, { clusterId }]) {
      await expect(db.insert(configurationScoped).values({ ...row, ...wrong })).rejects.toThrow('Failed query');
    }
  });
});

it('is for root admins only', async () => {
  const { client } = await gateway.addUser('somebody', 'DomainAdmin');
  for (const command of ['listConfigurations', 'updateConfiguration', 'resetConfiguration']) {
    await expect(client.call(command, { name: REDIRECTS, value: 'true' })).rejects.toMatchObject({ errorcode: 432 });
  }
});
