import { eq } from 'drizzle-orm';
import { account, asyncJob, domain, serviceOffering, user, vmInstance, volumes } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

type Row = Record<string, unknown>;

/** Hooks make whole families of accounts, and the machine may have other work. */
jest.setTimeout(30_000);

let gateway: TestGateway;
let rootId: string;
let offeringId: string;
let made = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  rootId = (await gateway.db.select().from(domain).where(eq(domain.path, '/')))[0]!.id;
  // 1 core, 512 MiB.
  const [offering] = await gateway.db.select().from(serviceOffering).where(eq(serviceOffering.name, 'Small Instance'));
  offeringId = offering!.id;
});
afterAll(() => gateway.stop());

interface Tenant extends TestUser {
  name: string;
  templateId: string;
}

async function newTenant(domainId = rootId, role: 'User' | 'Admin' = 'User'): Promise<Tenant> {
  const name = `tenant-${(made += 1)}`;
  const tenant = await gateway.addUser(name, role);
  await gateway.db.update(account).set({ domainId }).where(eq(account.id, tenant.accountId));
  await gateway.db.update(user).set({ domainId }).where(eq(user.accountId, tenant.accountId));
  return { ...tenant, name, templateId: await addTemplate(gateway, tenant, { sizeBytes: 2 * 1024 ** 3 }) };
}

const deploy = ({ client, templateId }: Tenant, more: Record<string, string> = {}) =>
  client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offeringId,
    templateid: templateId,
    ...more,
  });

const limit = ({ name }: Tenant, resourcetype: number, max: number) =>
  gateway.admin.call('updateResourceLimit', { account: name, domainid: rootId, resourcetype, max });

const EXCEEDED = { errorcode: 535 };

test.each<[string, number, number]>([
  ['user_vm', 0, 1],
  ['primary_storage', 10, 3],
  ['cpu', 8, 1],
  ['memory', 9, 1023],
])(
  'an account with too little %s deploys one VM and no second, and nothing stays of that',
  async (type, number, max) => {
    const tenant = await newTenant();
    await limit(tenant, number, max);
    await deploy(tenant);
    await expect(deploy(tenant)).rejects.toMatchObject({
      ...EXCEEDED,
      errortext: expect.stringContaining(`Maximum amount of resources of Type = '${type}'`) as string,
    });
    const owned = eq(vmInstance.accountId, tenant.accountId);
    expect(await gateway.db.select().from(vmInstance).where(owned)).toHaveLength(1);
  },
);

test('calls that come at once exceed no limit', async () => {
  const tenant = await newTenant();
  await limit(tenant, 0, 3);
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => deploy(tenant)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(EXCEEDED);
});

test('accounts of a domain and below share its limit, also at once', async () => {
  const { domain: top } = await gateway.admin.call('createDomain', { name: 'shared' });
  const domainid = (top as Row)['id'] as string;
  const { domain: below } = await gateway.admin.call('createDomain', { name: 'below', parentdomainid: domainid });
  const tenants = [await newTenant(domainid), await newTenant((below as Row)['id'] as string)];
  await gateway.admin.call('updateResourceLimit', { domainid, resourcetype: 0, max: 2 });
  const outcomes = await Promise.allSettled([...tenants, ...tenants, ...tenants].map((tenant) => deploy(tenant)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  const { resourcecount } = await gateway.admin.call('updateResourceCount', { domainid, resourcetype: 0 });
  expect(resourcecount).toMatchObject([{ resourcetype: '0', resourcetypename: 'user_vm', resourcecount: 2 }]);
});

test('the setting for domains counts for one without a limit of its own, also at once, and not for the root', async () => {
  const { domain: made } = await gateway.admin.call('createDomain', { name: 'by-setting' });
  const domainid = (made as Row)['id'] as string;
  const tenants = [await newTenant(domainid), await newTenant(domainid)];
  await writeSettings(gateway.db, { 'max.domain.user.vms': '2' });
  const outcomes = await Promise.allSettled([...tenants, ...tenants, ...tenants].map((tenant) => deploy(tenant)));
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  const max = async (owner: object) =>
    ((await gateway.admin.call('listResourceLimits', { ...owner, resourcetype: 0 }))['resourcelimit'] as Row[])[0]![
      'max'
    ];
  expect([await max({ domainid }), await max({ domainid: rootId })]).toEqual([2, -1]);
  await gateway.admin.call('updateResourceLimit', { domainid, resourcetype: 0, max: 3 });
  await deploy(tenants[0]!);
  await expect(deploy(tenants[1]!)).rejects.toMatchObject({
    ...EXCEEDED,
    errortext: expect.stringContaining(`Domain Id = '${domainid}'`) as string,
  });
  await writeSettings(gateway.db, { 'max.domain.user.vms': '-1' });
});

test('a domain is given no more than the one that it is in', async () => {
  const { domain: top } = await gateway.admin.call('createDomain', { name: 'bounded' });
  const domainid = (top as Row)['id'] as string;
  const { domain: below } = await gateway.admin.call('createDomain', { name: 'inner', parentdomainid: domainid });
  const give = (id: string, max: number) =>
    gateway.admin.call('updateResourceLimit', { domainid: id, resourcetype: 4, max });
  await give(domainid, 5);
  const inner = (below as Row)['id'] as string;
  await expect(give(inner, 6)).rejects.toMatchObject({
    errorcode: 431,
    errortext: expect.stringContaining('5') as string,
  });
  for (const max of [5, -1]) await give(inner, max);
});

test('the setting counts for accounts without a limit of their own, and none for root admins', async () => {
  await writeSettings(gateway.db, { 'max.account.user.vms': '1' });
  const [tenant, generous, root] = [await newTenant(), await newTenant(), await newTenant(rootId, 'Admin')];
  await limit(generous, 0, -1);
  for (const one of [tenant, generous, root]) await deploy(one);
  await expect(deploy(tenant)).rejects.toMatchObject(EXCEEDED);
  for (const one of [generous, root]) await deploy(one);
  await writeSettings(gateway.db, { 'max.account.user.vms': '20' });
});

test('a VM that was destroyed makes room but for its disk, and is recovered only while there is room', async () => {
  await writeSettings(gateway.db, { 'allow.user.expunge.recover.vm': 'true' });
  const tenant = await newTenant();
  await limit(tenant, 0, 1);
  const { id } = await deploy(tenant);
  const isIt = eq(vmInstance.id, id as string);
  const now = new Date().toISOString();
  await gateway.db.update(vmInstance).set({ state: 'Destroyed', ended: now }).where(isIt);
  await gateway.db
    .update(volumes)
    .set({ path: 'disk' })
    .where(eq(volumes.instanceId, id as string));
  await gateway.db.update(asyncJob).set({ jobStatus: 1, completed: now });
  await deploy(tenant);
  await expect(tenant.client.call('recoverVirtualMachine', { id: id as string })).rejects.toMatchObject(EXCEEDED);
  await limit(tenant, 0, 2);
  await tenant.client.call('recoverVirtualMachine', { id: id as string });
});

test('templates and ISOs count alike, and one that is refused is not there', async () => {
  const tenant = await newTenant();
  await limit(tenant, 4, 1);
  const call = { name: 'x', displaytext: 'x', zoneid: gateway.seeded.zoneId, url: 'http://images.example/x.iso' };
  await expect(
    tenant.client.call('registerIso', { ...call, directdownload: true, bootable: false }),
  ).rejects.toMatchObject(EXCEEDED);
  expect(gateway.executed).toEqual([]);
  await limit(tenant, 4, 2);
  await tenant.client.call('registerIso', { ...call, directdownload: true, bootable: false });
});

test('limits are listed with what there is, and nobody raises their own', async () => {
  const tenant = await newTenant();
  await limit(tenant, 10, 7);
  await deploy(tenant);
  const { resourcelimit } = await tenant.client.call('listResourceLimits');
  expect((resourcelimit as Row[]).map(({ resourcetypename, max }) => [resourcetypename, max])).toEqual([
    ['user_vm', 20],
    ['template', 20],
    ['cpu', 40],
    ['memory', 40960],
    ['primary_storage', 7],
  ]);
  const { account: shown } = await tenant.client.call('listAccounts');
  expect(shown).toMatchObject([
    {
      vmlimit: '20',
      vmtotal: 1,
      vmavailable: '19',
      memorytotal: 512,
      primarystoragelimit: '7',
      primarystoragetotal: 2,
      primarystorageavailable: '5',
      templatetotal: 1,
      vmrunning: 0,
      vmstopped: 1,
    },
  ]);
  const boss = await gateway.addUser('boss', 'DomainAdmin');
  const own = { account: 'boss', domainid: rootId, resourcetype: 0, max: 99 };
  await expect(boss.client.call('updateResourceLimit', own)).rejects.toMatchObject({ errorcode: 531 });
  await expect(gateway.admin.call('updateResourceLimit', { ...own, account: 'admin' })).rejects.toMatchObject({
    errorcode: 431,
  });
  await expect(gateway.admin.call('updateResourceLimit', { ...own, resourcetype: 3 })).rejects.toMatchObject({
    errorcode: 431,
  });
});
