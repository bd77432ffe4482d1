import { randomUUID } from 'node:crypto';
import { and, asc, eq } from 'drizzle-orm';
import { joinHost } from '../../db/join-host.js';
import {
  asyncJob,
  dataCenter,
  event,
  networks,
  nics,
  resourceLimit,
  vmInstance,
  volumes,
} from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { giveDisk } from '../../tests/support/give-disk.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { addZone } from '../../tests/support/add-zone.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { databaseTexts } from '../../tests/support/written-texts.js';

/** What a VM is given beside its template: networks, keys, user data, a disk of another size, a place. */

const NOWHERE = '11111111-1111-4111-8111-111111111111';
const GIB = 1024 ** 3;
const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';

let gateway: TestGateway;
let somebody: TestUser;
let offeringId: string;
let templateId: string;
let isoId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  await writeSettings(gateway.db, { 'max.account.user.vms': '-1', 'max.account.cpus': '-1' });
  somebody = await gateway.addUser('somebody');
  const { serviceoffering } = await gateway.admin.call('listServiceOfferings', { name: 'Small Instance' });
  offeringId = (serviceoffering as { id: string }[])[0]!.id;
  templateId = await addTemplate(gateway, somebody, { sizeBytes: 2.5 * GIB });
  isoId = await addTemplate(gateway, somebody, { format: 'ISO' });
  for (const name of ['first', 'second']) {
    await somebody.client.call('registerSSHKeyPair', { name, publickey: PUBLIC_KEY });
  }
});
afterAll(() => gateway.stop());

type Parameters = Record<string, string | number | boolean | undefined>;

async function deploy(changes: Parameters = {}, client = somebody.client): Promise<string> {
  const { id } = await client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offeringId,
    templateid: templateId,
    ...changes,
  });
  return id as string;
}

const shown = async (id: string, client = somebody.client): Promise<Record<string, unknown>> => {
  const { virtualmachine } = await client.call('listVirtualMachines', { id });
  return (virtualmachine as Record<string, unknown>[])[0]!;
};

const vmRow = async (id: string) => (await gateway.db.select().from(vmInstance).where(eq(vmInstance.id, id)))[0]!;
const diskRow = async (id: string) => (await gateway.db.select().from(volumes).where(eq(volumes.instanceId, id)))[0]!;
const nicRows = (id: string) =>
  gateway.db.select().from(nics).where(eq(nics.instanceId, id)).orderBy(asc(nics.deviceId));

async function addNetwork(values: Partial<typeof networks.$inferInsert> = {}): Promise<string> {
  const [row] = await gateway.db
    .insert(networks)
    .values({
      name: 'wire',
      displayText: 'wire',
      guestType: 'L2',
      dataCenterId: gateway.seeded.zoneId,
      accountId: somebody.accountId,
      ...values,
    })
    .returning();
  return row!.id;
}

/** Nothing of a refused call stays. */
async function refused(call: () => Promise<unknown>, errorcode: number, text: string): Promise<void> {
  const count = async () => [
    (await gateway.db.select().from(vmInstance)).length,
    (await gateway.db.select().from(nics)).length,
    (await gateway.db.select().from(asyncJob)).length,
  ];
  const before = await count();
  await expect(call()).rejects.toMatchObject({ errorcode, errortext: expect.stringContaining(text) });
  expect(await count()).toEqual(before);
}

describe('networks', () => {
  test('a VM is in the networks that were named, the first as its default', async () => {
    const vlan = await addNetwork({ name: 'tagged', vlan: 7 });
    const shared = await addNetwork({ name: 'shared', accountId: null });
    const id = await deploy({ networkids: `${vlan},${shared}`, macaddress: '52-54-00-AB-CD-01' });
    const interfaces = await nicRows(id);
    expect(interfaces).toMatchObject([
      { networkId: vlan, macAddress: '52:54:00:ab:cd:01' },
      { networkId: shared, macAddress: expect.stringMatching(/^1e(:[0-9a-f]{2}){5}$/) },
    ]);
    expect(await shown(id)).toMatchObject({
      nic: [
        {
          id: interfaces[0]!.id,
          networkid: vlan,
          networkname: 'tagged',
          macaddress: '52:54:00:ab:cd:01',
          isdefault: true,
          type: 'L2',
          traffictype: 'Guest',
        },
        { networkid: shared, networkname: 'shared', isdefault: false, deviceid: '1' },
      ],
    });
    // The VLAN is the operator's business.
    expect(JSON.stringify(await shown(id))).not.toContain('vlan://');
    expect(JSON.stringify(await shown(id, gateway.admin))).toContain('vlan://7');
    const { count } = await somebody.client.call('listVirtualMachines', { networkid: vlan });
    expect(count).toBe(1);
  });

  test('a zone that has no User network yet gets it with the first VM', async () => {
    const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-new' }).returning();
    const template = await addTemplate({ ...gateway, seeded: { ...gateway.seeded, zoneId: zone!.id } }, somebody);
    const deployed = await Promise.all([1, 2, 3].map(() => deploy({ zoneid: zone!.id, templateid: template })));
    const used = new Set((await Promise.all(deployed.map(nicRows))).flat().map(({ networkId }) => networkId));
    expect(used.size).toBe(1);
    const [network] = await gateway.db.select().from(networks).where(eq(networks.dataCenterId, zone!.id));
    expect(network).toMatchObject({ id: [...used][0], name: 'User', guestType: 'User', accountId: null });
  });

  test('of type User are for root admins alone where the operator says so', async () => {
    const isItsUserNetwork = and(eq(networks.guestType, 'User'), eq(networks.dataCenterId, gateway.seeded.zoneId));
    const [user] = await gateway.db.select().from(networks).where(isItsUserNetwork);
    await writeSettings(gateway.db, { 'allow.user.network': 'false' });
    try {
      await refused(() => deploy(), 531, 'Parameter networkids is required: networks of type User are closed to users');
      await refused(() => deploy({ networkids: user!.id }), 531, `Network ${user!.id} is for root admins`);
      await deploy({ networkids: await addNetwork() });
      await deploy({}, gateway.admin);
    } finally {
      await writeSettings(gateway.db, { 'allow.user.network': 'true' });
    }
  });

  test('of type User are closed in one zone, but for an account that the operator trusts', async () => {
    const setting = { name: 'allow.user.network', zoneid: gateway.seeded.zoneId };
    await gateway.admin.call('updateConfiguration', { ...setting, value: 'false' });
    await refused(() => deploy(), 531, 'networks of type User are closed to users');
    await gateway.admin.call('updateConfiguration', {
      name: setting.name,
      accountid: somebody.accountId,
      value: 'true',
    });
    await deploy();
    await gateway.admin.call('resetConfiguration', { name: setting.name, accountid: somebody.accountId });
    await refused(() => deploy(), 531, 'networks of type User are closed to users');
    await gateway.admin.call('resetConfiguration', setting);
    await deploy();
  });

  test('an address is one VM’s, and free again when that is expunged', async () => {
    const macaddress = '52:54:00:ab:cd:02';
    const id = await deploy({ macaddress });
    await refused(() => deploy({ macaddress }), 431, 'is in use by another VM');
    await gateway.db.update(nics).set({ removed: new Date().toISOString() }).where(eq(nics.instanceId, id));
    await deploy({ macaddress });
  });

  test('a call that is repeated does not stumble over the address that it took itself', async () => {
    const call = { customjobid: NOWHERE, macaddress: '52:54:00:ab:cd:03' };
    const ids = await Promise.all([deploy(call), deploy(call), deploy(call)]);
    expect(new Set(ids).size).toBe(1);
  });

  test.each<[string, () => Promise<Parameters> | Parameters, string]>([
    ['a network that is not there', () => ({ networkids: NOWHERE }), `Invalid parameter networkids value=${NOWHERE}`],
    [
      'a network of another account',
      async () => ({ networkids: await addNetwork({ accountId: (await gateway.addUser('other')).accountId }) }),
      'Invalid parameter networkids',
    ],
    [
      'a network that was deleted',
      async () => ({ networkids: await addNetwork({ removed: new Date().toISOString() }) }),
      'Invalid parameter networkids',
    ],
    [
      'a network of another zone',
      async () => {
        const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-far' }).returning();
        return { networkids: await addNetwork({ dataCenterId: zone!.id }) };
      },
      "doesn't belong to zone zone-1",
    ],
    [
      'nine networks',
      async () => ({
        networkids: Array(9)
          .fill(await addNetwork())
          .join(','),
      }),
      'at most 8 networks',
    ],
    ['an address for many', () => ({ macaddress: '01:00:5e:00:00:01' }), 'Mac address is not unicast'],
    [
      'addresses for guests',
      () => ({ 'iptonetworklist[0].ip': '10.0.0.1' }),
      'does not support parameter iptonetworklist',
    ],
  ])('refuses %s', async (_what, changes, text) => {
    const parameters = await changes();
    await refused(() => deploy(parameters), 431, text);
  });
});

describe('keys and user data', () => {
  test('are kept with the VM: the keys as they are now, the user data encrypted', async () => {
    const secret = 'correct-horse-battery-staple';
    const userdata = Buffer.from(`#cloud-config\npassword: ${secret}\n`).toString('base64');
    const id = await deploy({ keypairs: 'second,first', keypair: 'first', userdata });
    await somebody.client.call('deleteSSHKeyPair', { name: 'second' });
    const row = await vmRow(id);
    expect(row).toMatchObject({ sshPublicKeys: [PUBLIC_KEY, PUBLIC_KEY], keyPairNames: ['first', 'second'] });
    expect(gateway.secretBox.decrypt(row.userDataEncrypted!)).toBe(userdata);
    const vm = await shown(id);
    expect(vm).toMatchObject({ keypairs: 'first,second' });
    const { count } = await somebody.client.call('listVirtualMachines', { keypair: 'second' });
    expect(count).toBe(1);
    const written = [
      await databaseTexts(gateway.db),
      gateway.log(),
      JSON.stringify(gateway.started),
      JSON.stringify(vm),
      JSON.stringify(await somebody.client.call('listVirtualMachines', { id, userdata: true, details: 'all' })),
    ].join('\n');
    expect(written).toContain(id);
    for (const text of [secret, userdata]) expect(written).not.toContain(text);
  });

  test('32 KiB of user data fit into a form body', async () => {
    const bytes = Buffer.alloc(32_768, 'user data');
    const id = await deploy({ userdata: bytes.toString('base64') });
    expect(gateway.secretBox.decrypt((await vmRow(id)).userDataEncrypted!)).toBe(bytes.toString('base64'));
  });

  test.each([
    ['user data that is no base64', { userdata: '#cloud-config' }, 'User data is not base64 encoded'],
    ['a key pair that is not there', { keypair: 'third' }, "A key pair with name 'third' was not found."],
    ['parameters of user data', { 'userdatadetails[0].name': 'x' }, 'does not support parameter userdatadetails'],
  ])('refuses %s', (_what, changes, text) => refused(() => deploy(changes), 431, text));

  test('a root admin uses key pairs of the own account only', () =>
    refused(() => deploy({ keypair: 'first' }, gateway.admin), 431, "'first' was not found"));
});

describe('the root disk', () => {
  test('is as large as was asked for', async () => {
    const id = await deploy({ rootdisksize: 3 });
    expect(await diskRow(id)).toMatchObject({ wantedSizeBytes: 3 * GIB, diskOfferingId: null });
  });

  const diskOffering = async (name: string): Promise<string> => {
    const { diskoffering } = await somebody.client.call('listDiskOfferings', { name });
    return (diskoffering as { id: string }[])[0]!.id;
  };

  test.each([
    ['Small', {}, 5],
    ['Custom', { size: 12 }, 12],
  ])('of an ISO has the size of the disk offering: %s %j', async (name, changes, gib) => {
    const diskofferingid = await diskOffering(name);
    const id = await deploy({ templateid: isoId, diskofferingid, ...changes });
    expect(await vmRow(id)).toMatchObject({ templateId: isoId, isoId });
    expect(await diskRow(id)).toMatchObject({ wantedSizeBytes: gib * GIB, diskOfferingId: diskofferingid });
    expect(await shown(id)).toMatchObject({ isoid: isoId, isoname: 'debian', diskofferingid, diskofferingname: name });
  });

  test.each<[string, (ids: { small: string; custom: string }) => Parameters, string]>([
    ['a disk smaller than the template', () => ({ rootdisksize: 2 }), 'is smaller than template size (2.50 GB)'],
    ['a disk of no size', () => ({ rootdisksize: 0 }), 'invalid value 0 for parameter rootdisksize'],
    ['a data disk', ({ small }) => ({ diskofferingid: small }), 'ask for a data disk beside the template'],
    ['an ISO without a disk', () => ({ templateid: isoId }), 'Installing from ISO requires a disk offering'],
    [
      'an ISO with a disk offering that is not there',
      () => ({ templateid: isoId, diskofferingid: NOWHERE }),
      'Invalid parameter diskofferingid',
    ],
    [
      'an ISO with the size of a template’s disk',
      ({ small }) => ({ templateid: isoId, diskofferingid: small, rootdisksize: 9 }),
      'Parameter rootdisksize is for templates',
    ],
    [
      'a size for an offering that has one',
      ({ small }) => ({ templateid: isoId, diskofferingid: small, size: 9 }),
      'This disk offering does not allow custom disk size',
    ],
    [
      'no size for a custom offering',
      ({ custom }) => ({ templateid: isoId, diskofferingid: custom }),
      'This disk offering requires a custom size specified',
    ],
  ])('refuses %s', async (_what, changes, text) => {
    const ids = { small: await diskOffering('Small'), custom: await diskOffering('Custom') };
    await refused(() => deploy(changes(ids)), 431, text);
  });

  test('refuses an ISO that no machine starts from', async () => {
    const templateid = await addTemplate(gateway, somebody, { format: 'ISO', bootable: false });
    const diskofferingid = await diskOffering('Small');
    await refused(() => deploy({ templateid, diskofferingid }), 431, 'requires an ISO that is bootable');
  });
});

test('gets the tags of its template when that is asked for, and keeps them as its own', async () => {
  const templateid = await addTemplate(gateway, somebody);
  const tag = { resourcetype: 'Template', resourceids: templateid, 'tags[0].key': 'os', 'tags[0].value': 'debian' };
  await somebody.client.call('createTags', tag);
  const tagsOf = async (copyimagetags?: boolean) =>
    (await shown(await deploy({ templateid, ...(copyimagetags === undefined ? {} : { copyimagetags }) })))['tags'];
  expect(await tagsOf()).toEqual([]);
  expect(await tagsOf(false)).toEqual([]);
  expect(await tagsOf(true)).toMatchObject([
    { key: 'os', value: 'debian', resourcetype: 'UserVm', account: 'somebody' },
  ]);
});

test('the zones where a caller has a machine are listed apart', async () => {
  const { zoneId } = await addZone(gateway.db);
  await deploy();
  const zones = async (available: boolean) => {
    const { zone = [] } = await somebody.client.call('listZones', { available });
    return (zone as { id: string }[]).map(({ id }) => id);
  };
  const used = await zones(false);
  expect([used.includes(gateway.seeded.zoneId), used.includes(zoneId)]).toEqual([true, false]);
  expect(await zones(true)).toEqual(expect.arrayContaining([zoneId, ...used]));
  const { client } = await gateway.addUser('newcomer');
  expect(await client.call('listZones', { available: false })).toEqual({});
});

describe('the place', () => {
  test('a root admin may say where, and the workflow is told', async () => {
    const { podId, clusterId } = gateway.seeded;
    await deploy({ podid: podId, clusterid: clusterId }, gateway.admin);
    expect(gateway.started.at(-1)!.workflowInput).toMatchObject({ within: { podId, clusterId } });
    await deploy({}, gateway.admin);
    expect(gateway.started.at(-1)!.workflowInput).not.toHaveProperty('within');
  });

  test.each(['hostid', 'podid', 'clusterid'])('%s has to be in the zone, and is for root admins', async (name) => {
    await refused(() => deploy({ [name]: NOWHERE }), 531, `Parameter ${name} can only be specified by a Root Admin`);
    await refused(() => deploy({ [name]: NOWHERE }, gateway.admin), 431, `Invalid parameter ${name} value=${NOWHERE}`);
  });

  test('a host of another zone is none of this one', async () => {
    const { clusterId } = await addZone(gateway.db);
    const { hostId } = await joinHost(gateway.databaseUrl, { name: 'away', clusterId, publicKey: 'none', pools: [] });
    await refused(() => deploy({ hostid: hostId }, gateway.admin), 431, 'Invalid parameter hostid');
  });
});

describe('a VM that is not started', () => {
  const startOf = (id: string, changes: Parameters = {}, client = somebody.client) =>
    client.call('startVirtualMachine', { id, ...changes });
  const jobRow = async (jobid: unknown) =>
    (
      await gateway.db
        .select()
        .from(asyncJob)
        .where(eq(asyncJob.id, jobid as string))
    )[0]!;

  test('is Stopped at once, with all that it was given and a disk without a place, and no workflow', async () => {
    const started = gateway.started.length;
    const customjobid = randomUUID();
    const given = { startvm: false, userdata: 'I2Nsb3VkLWNvbmZpZw==', keypair: 'first', rootdisksize: 3, customjobid };
    const id = await deploy(given);
    expect(await deploy(given)).toBe(id);
    const job = await somebody.client.call('queryAsyncJobResult', { jobid: customjobid });
    expect(job).toMatchObject({
      jobstatus: 1,
      jobresult: { virtualmachine: { id, state: 'Stopped', keypairs: 'first' } },
    });
    expect(gateway.started).toHaveLength(started);
    expect(await vmRow(id)).toMatchObject({ hostId: null, vncPasswordEncrypted: expect.any(String) as string });
    const { volume } = await gateway.admin.call('listVolumes', { virtualmachineid: id, listall: true });
    expect(volume).toMatchObject([{ state: 'Allocated', size: 3 * GIB, type: 'ROOT', vmstate: 'Stopped' }]);
    expect((volume as object[])[0]).not.toHaveProperty('storageid');
    const told = await gateway.db.select().from(event).where(eq(event.resourceId, id));
    expect(told).toMatchObject([{ type: 'VM.CREATE', level: 'INFO', accountId: somebody.accountId }]);
    await expect(somebody.client.call('getVirtualMachineConsoleLog', { id })).rejects.toMatchObject({
      errortext: expect.stringContaining('has not been on a host yet'),
    });
  });

  test('counts for what its owner may have', async () => {
    const { client, accountId } = await gateway.addUser('limited');
    const templateid = await addTemplate(gateway, { ...somebody, accountId }, {});
    await gateway.db.insert(resourceLimit).values({ accountId, type: 'user_vm', max: 1 });
    await deploy({ startvm: false, templateid }, client);
    await refused(() => deploy({ startvm: false, templateid }, client), 535, 'is exceeded');
  });

  test('is deployed when it is started: Starting as soon as the job is there', async () => {
    const id = await deploy({ startvm: false });
    const customjobid = randomUUID();
    const [{ jobid }, again] = await Promise.all([startOf(id, { customjobid }), startOf(id, { customjobid })]);
    expect([jobid, again['jobid']]).toEqual([customjobid, customjobid]);
    expect((await shown(id))['state']).toBe('Starting');
    expect(await jobRow(jobid)).toMatchObject({
      jobCmd: 'startVirtualMachine',
      workflowType: 'startNewVirtualMachine',
      workflowInput: { vmId: id, jobId: jobid, deadlineMs: 10_800_000, zoneId: gateway.seeded.zoneId, templateId },
    });
    await expect(startOf(id)).rejects.toMatchObject({ errortext: expect.stringContaining('Another operation') });
  });

  test('is left as it is when something else works on it', async () => {
    const id = await deploy({ startvm: false });
    await somebody.client.call('attachIso', { id: isoId, virtualmachineid: id });
    await expect(startOf(id)).rejects.toMatchObject({ errortext: expect.stringContaining('Another operation') });
    expect((await shown(id))['state']).toBe('Stopped');
  });

  test('is tried on the host that a root admin names, and nowhere else', async () => {
    const { hostId } = await joinHost(gateway.databaseUrl, {
      name: 'here',
      clusterId: gateway.seeded.clusterId,
      publicKey: 'none',
      pools: [],
    });
    const id = await deploy({ startvm: false });
    await expect(startOf(id, { hostid: hostId })).rejects.toMatchObject({ errorcode: 531 });
    const { jobid } = await startOf(id, { hostid: hostId }, gateway.admin);
    expect((await jobRow(jobid)).workflowInput).toMatchObject({ within: { hostId } });
  });

  test.each(['hostid', 'podid', 'clusterid'])('may be started in a place, %s, by root admins alone', async (name) => {
    const { podId, clusterId } = gateway.seeded;
    const { hostId } = await joinHost(gateway.databaseUrl, {
      name: `for-${name}`,
      clusterId,
      publicKey: 'none',
      pools: [],
    });
    const place = { hostid: { hostId }, podid: { podId }, clusterid: { clusterId } }[name]!;
    const [within] = Object.values(place) as [string];
    const id = await deploy({ startvm: false });
    await giveDisk(gateway, id);
    const elsewhere = await addZone(gateway.db);
    const away = { hostid: NOWHERE, podid: elsewhere.podId, clusterid: elsewhere.clusterId }[name]!;
    await expect(startOf(id, { [name]: within })).rejects.toMatchObject({
      errorcode: 531,
      errortext: `Parameter ${name} can only be specified by a Root Admin, permission denied`,
    });
    await expect(startOf(id, { [name]: away }, gateway.admin)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(`Invalid parameter ${name} value=${away}`),
    });
    const { jobid } = await startOf(id, { [name]: within }, gateway.admin);
    expect((await jobRow(jobid)).workflowInput).toMatchObject({ vmId: id, ...place });
  });

  test('with a disk already is started from that', async () => {
    const id = await deploy({ startvm: false });
    await giveDisk(gateway, id);
    const { jobid } = await startOf(id);
    expect(await jobRow(jobid)).toMatchObject({ workflowType: 'startVirtualMachine', workflowInput: { vmId: id } });
    expect((await shown(id))['state']).toBe('Stopped');
  });
});
