import { eq } from 'drizzle-orm';
import { dataCenter, domain, event, networks, nics } from '../../db/schema/index.js';
import { seed } from '../../db/seed.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { TEST_SECRET_KEY } from '../../tests/support/test-database.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

const NOWHERE = '11111111-1111-4111-8111-111111111111';

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;
let templateId: string;
let serviceOfferingId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
  templateId = await addTemplate(gateway, somebody);
  const { serviceoffering } = await gateway.admin.call('listServiceOfferings');
  serviceOfferingId = (serviceoffering as { id: string }[])[0]!.id;
});
afterAll(() => gateway.stop());

type Row = Record<string, unknown>;

const offeringId = async (name: string): Promise<string> => {
  const { networkoffering } = await somebody.client.call('listNetworkOfferings', { name });
  return (networkoffering as { id: string }[])[0]!.id;
};

const create = async (parameters: Record<string, string | number | boolean> = {}): Promise<Row> => {
  const { network } = await gateway.admin.call('createNetwork', {
    zoneid: gateway.seeded.zoneId,
    name: 'net',
    networkofferingid: await offeringId(
      parameters['vlan'] === undefined ? 'DefaultL2NetworkOffering' : 'DefaultL2NetworkOfferingVlan',
    ),
    ...parameters,
  });
  return network as Row;
};

const list = async (filter = {}, client = somebody.client): Promise<Row[]> => {
  const { network = [] } = await client.call('listNetworks', filter);
  return network as Row[];
};

/** A VM of somebody's with an interface in a network, made as deployVirtualMachine makes it. */
async function vmIn(networkId: string): Promise<string> {
  const { id } = await gateway.db.transaction((tx) =>
    createVirtualMachine(tx, {
      accountId: somebody.accountId,
      zoneId: gateway.seeded.zoneId,
      templateId,
      serviceOfferingId,
      nics: [{ networkId }],
    }),
  );
  return id;
}

describe('listNetworkOfferings', () => {
  test('has one for L2, one for L2 with a VLAN, and one for User', async () => {
    const { count, networkoffering } = await somebody.client.call('listNetworkOfferings', {});
    expect(count).toBe(3);
    expect(networkoffering).toMatchObject([
      { name: 'DefaultL2NetworkOffering', guestiptype: 'L2', specifyvlan: false, state: 'Enabled' },
      { name: 'DefaultL2NetworkOfferingVlan', guestiptype: 'L2', specifyvlan: true },
      { name: 'DefaultUserNetworkOffering', guestiptype: 'User', specifyvlan: false },
    ]);
  });

  test('filters and pages', async () => {
    const names = async (filter: Record<string, string | number | boolean>) => {
      const { networkoffering = [] } = await somebody.client.call('listNetworkOfferings', filter);
      return (networkoffering as { name: string }[]).map(({ name }) => name);
    };
    expect(await names({ guestiptype: 'l2', specifyvlan: true })).toEqual(['DefaultL2NetworkOfferingVlan']);
    expect(await names({ keyword: 'user' })).toEqual(['DefaultUserNetworkOffering']);
    expect(await names({ page: 2, pagesize: 2 })).toEqual(['DefaultUserNetworkOffering']);
    expect(await names({ id: NOWHERE })).toEqual([]);
  });
});

describe('a zone', () => {
  test('has its User network from the start, which everybody sees and which stays', async () => {
    const [network] = await list({ zoneid: gateway.seeded.zoneId, type: 'User' });
    expect(network).toMatchObject({
      name: 'User',
      type: 'User',
      isdefault: true,
      acltype: 'Domain',
      networkofferingname: 'DefaultUserNetworkOffering',
      zonename: 'zone-1',
      state: 'Implemented',
      canusefordeploy: true,
    });
    await expect(gateway.admin.call('deleteNetwork', { id: network!['id'] as string })).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('is the default of its zone'),
    });
    await expect(create({ networkofferingid: await offeringId('DefaultUserNetworkOffering') })).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Zone zone-1 has its network of type User already',
    });
  });
});

test('a database that is older than networks gets them with the next start', async () => {
  await gateway.db.delete(networks).where(eq(networks.guestType, 'User'));
  expect(await list({ type: 'User' })).toEqual([]);
  for (let start = 0; start < 2; start++) await seed(gateway.databaseUrl, { secretKeyBase64: TEST_SECRET_KEY });
  expect(await list({ type: 'User' })).toMatchObject([{ zonename: 'zone-1' }]);
});

describe('createNetwork', () => {
  test('makes a network for the account that is named, and no other account sees it', async () => {
    const network = await create({ name: 'wire', account: 'somebody', displaytext: 'A wire', vlan: 100 });
    expect(network).toMatchObject({
      name: 'wire',
      displaytext: 'A wire',
      type: 'L2',
      account: 'somebody',
      acltype: 'Account',
      vlan: '100',
      broadcasturi: 'vlan://100',
      broadcastdomaintype: 'Vlan',
      specifyvlan: true,
    });
    const [own] = await list({ id: network['id'] });
    expect(own).toMatchObject({ name: 'wire', broadcastdomaintype: 'Vlan' });
    expect(own).not.toHaveProperty('vlan');
    expect(own).not.toHaveProperty('broadcasturi');
    expect(await list({ id: network['id'] }, other.client)).toEqual([]);
    expect(await list({ id: network['id'] }, gateway.admin)).toEqual([network]);
    expect(await list({ vlan: 100, listall: true }, gateway.admin)).toEqual([network]);
    expect(await list({ vlan: 101, listall: true }, gateway.admin)).toEqual([]);
    await expect(list({ vlan: 100 })).rejects.toMatchObject({ errorcode: 531 });
    const told = await gateway.db
      .select()
      .from(event)
      .where(eq(event.resourceId, network['id'] as string));
    expect(told).toMatchObject([{ type: 'NETWORK.CREATE', accountId: somebody.accountId }]);
  });

  test('makes a network for everybody with acltype Domain', async () => {
    const { id } = await create({ acltype: 'domain', name: 'shared' });
    expect(await list({ id }, other.client)).toMatchObject([{ name: 'shared', broadcastdomaintype: 'Native' }]);
    await expect(create({ acltype: 'domain', account: 'other' })).rejects.toMatchObject({ errorcode: 431 });
    const [root] = await gateway.db.select().from(domain).where(eq(domain.path, '/'));
    await expect(create({ acltype: 'domain', domainid: root!.id })).resolves.toMatchObject({ acltype: 'Domain' });
    const [part] = await gateway.db.insert(domain).values({ name: 'part', path: '/part/' }).returning();
    await expect(create({ acltype: 'domain', domainid: part!.id })).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('there are none for one domain'),
    });
  });

  test('keeps a VLAN of a zone for one network, unless told otherwise, also for calls that come at once', async () => {
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((name) => create({ name, vlan: 200 })));
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused).toHaveLength(2);
    expect(refused[0]!.reason).toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('Network with vlan 200 already exists'),
    });
    await expect(create({ vlan: 200, bypassvlanoverlapcheck: true })).resolves.toMatchObject({ vlan: '200' });
    const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-2' }).returning();
    await expect(create({ vlan: 200, zoneid: zone!.id })).resolves.toMatchObject({ vlan: '200' });
  });

  test('lets the VLAN of a deleted network be used again', async () => {
    const { id } = await create({ vlan: 300 });
    await gateway.admin.call('deleteNetwork', { id: id as string });
    await expect(create({ vlan: 'vlan://300' })).resolves.toMatchObject({ vlan: '300' });
  });

  test.each<[string, Record<string, string | number>, string]>([
    ['VLAN 0', { vlan: 0 }, 'invalid value 0 for parameter vlan'],
    ['VLAN 4095', { vlan: 4095 }, 'invalid value 4095 for parameter vlan'],
    ['a VLAN that is no number', { vlan: 'untagged' }, 'invalid value untagged for parameter vlan'],
    ['a zone that is not there', { zoneid: NOWHERE }, 'Invalid parameter zoneid'],
    ['an offering that is not there', { networkofferingid: NOWHERE }, 'Invalid parameter networkofferingid'],
    ['an account that is not there', { account: 'nobody' }, 'Invalid parameter account'],
    ['a domain without an account', { domainid: NOWHERE }, 'AccountName and domainId must be specified together'],
    ['a gateway', { gateway: '10.0.0.1' }, 'does not support parameter gateway yet'],
  ])('refuses %s', async (_what, parameters, text) => {
    await expect(create(parameters)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(text),
    });
  });

  test.each([
    ['DefaultL2NetworkOffering', { vlan: 1 }, "Can't specify vlan; corresponding offering says specifyVlan=false"],
    ['DefaultL2NetworkOfferingVlan', {}, 'Vlan has to be specified; corresponding offering says specifyVlan=true'],
  ])('of %s with %j is refused in the words of CloudStack', async (name, parameters, errortext) => {
    const call = create({ networkofferingid: await offeringId(name), ...parameters });
    await expect(call).rejects.toMatchObject({ errorcode: 431, errortext });
  });

  test('is for root admins', async () => {
    const parameters = { zoneid: gateway.seeded.zoneId, name: 'mine', networkofferingid: NOWHERE };
    await expect(somebody.client.call('createNetwork', parameters)).rejects.toMatchObject({ errorcode: 432 });
  });
});

describe('updateNetwork', () => {
  test('changes what is given, and its job shows the network', async () => {
    const { id } = await create({ displaytext: 'before', account: 'somebody' });
    const { jobid } = await gateway.admin.call('updateNetwork', { id: id as string, name: 'renamed' });
    expect(await gateway.admin.waitForJob(jobid as string, { timeoutMs: 5000 })).toMatchObject({
      network: { id, name: 'renamed', displaytext: 'before' },
    });
    expect(await list({ id })).toMatchObject([{ name: 'renamed' }]);
  });
});

describe('deleteNetwork', () => {
  const remove = (id: unknown, parameters = {}) =>
    gateway.admin.call('deleteNetwork', { id: id as string, ...parameters });

  test('answers with a job that has succeeded, and the same call again with the same', async () => {
    const { id } = await create();
    const { jobid } = await remove(id, { customjobid: NOWHERE });
    expect(jobid).toBe(NOWHERE);
    expect(await gateway.admin.waitForJob(NOWHERE, { timeoutMs: 5000 })).toEqual({ success: true });
    expect(await list({ id }, gateway.admin)).toEqual([]);
    expect(await remove(id, { customjobid: NOWHERE })).toEqual({ jobid: NOWHERE });
    await expect(remove(id)).rejects.toMatchObject({ errorcode: 431 });
    expect(gateway.started).toEqual([]);
  });

  test('answers equal calls at once with one job, and deletes once', async () => {
    const { id } = await create();
    const customjobid = '22222222-2222-4222-8222-222222222222';
    expect(await Promise.all([1, 2, 3].map(() => remove(id, { customjobid })))).toEqual(
      Array(3).fill({ jobid: customjobid }),
    );
    const told = await gateway.db
      .select()
      .from(event)
      .where(eq(event.resourceId, id as string));
    expect(told.filter(({ type }) => type === 'NETWORK.DELETE')).toHaveLength(1);
  });

  test('refuses a network as long as a VM has an interface in it', async () => {
    const { id } = await create();
    const vmId = await vmIn(id as string);
    await expect(remove(id)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(`it has user vms, VM-${vmId} among them`),
    });
    await gateway.db.update(nics).set({ removed: new Date().toISOString() }).where(eq(nics.instanceId, vmId));
    await expect(remove(id)).resolves.toHaveProperty('jobid');
  });

  test('never takes a network away from a VM that is made at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const { id } = await create();
      const [made, removed] = await Promise.allSettled([vmIn(id as string), remove(id)]);
      const isInUse = made.status === 'fulfilled';
      expect(removed.status).toBe(isInUse ? 'rejected' : 'fulfilled');
      const row = await gateway.db
        .select()
        .from(networks)
        .where(eq(networks.id, id as string));
      const interfaces = await gateway.db
        .select()
        .from(nics)
        .where(eq(nics.networkId, id as string));
      expect([row[0]!.removed === null, interfaces.length]).toEqual([isInUse, isInUse ? 1 : 0]);
    }
  });
});
