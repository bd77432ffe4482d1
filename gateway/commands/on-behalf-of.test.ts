import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { type CloudStackClient, createCloudStackClient } from '../../cli/cloudstack-client.js';
import { createDomain } from '../../db/domains.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { account, event, guestOs, serviceOffering, user, vmInstance, vmTemplate } from '../../db/schema/index.js';
import { replaceKeys } from '../../db/users.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';

type Role = 'User' | 'DomainAdmin' | 'Admin';

interface Member {
  accountId: string;
  userId: string;
  client: CloudStackClient;
  /** As calls name it. */
  named: { account: string; domainid: string };
}

let gateway: TestGateway;
let root: Caller;
let boss: Member;
let worker: Member;
let image: { name: string; url: string; ostypeid: string; directdownload: string; zoneid: string };
let order: { zoneid: string; serviceofferingid: string; templateid: string };

async function newMember(name: string, role: Role, domainId: string): Promise<Member> {
  const { db, secretBox, endpoint } = gateway;
  const [owner] = await db.insert(account).values({ accountName: name, type: role, domainId }).returning();
  const accountId = owner!.id;
  const [row] = await db.insert(user).values({ username: name, password: 'none', accountId, domainId }).returning();
  const client = createCloudStackClient({ endpoint, ...(await replaceKeys(db, secretBox, root, row!.id)) });
  return { accountId, userId: row!.id, client, named: { account: name, domainid: domainId } };
}

beforeAll(async () => {
  gateway = await startTestGateway();
  root = (await findDefaultAdmin(gateway.db))!;
  const sales = await createDomain(gateway.db, root, { name: 'sales', parentId: root.domainId });
  const emea = await createDomain(gateway.db, root, { name: 'emea', parentId: sales });
  boss = await newMember('boss', 'DomainAdmin', sales);
  worker = await newMember('worker', 'User', emea);
  const [offering] = await gateway.db.select().from(serviceOffering).limit(1);
  const [os] = await gateway.db.select().from(guestOs).limit(1);
  const { zoneId } = gateway.seeded;
  order = {
    zoneid: zoneId,
    serviceofferingid: offering!.id,
    templateid: await addTemplate(gateway, worker, { name: 'of the worker' }),
  };
  const url = 'http://images.example/made.qcow2';
  image = { name: 'made', url, ostypeid: os!.id, directdownload: 'true', zoneid: zoneId };
});
afterAll(() => gateway.stop());

const deploy = (client: CloudStackClient, more: Record<string, string> = {}) =>
  client.call('deployVirtualMachine', { ...order, ...more }) as Promise<{ id: string; jobid: string }>;

test('a domain admin deploys for an account below: with its template and its key, and it sees the job', async () => {
  await boss.client.call('createSSHKeyPair', { name: 'laptop', ...worker.named });
  const customjobid = randomUUID();
  const call = { ...worker.named, keypair: 'laptop', customjobid };
  const { id, jobid } = await deploy(boss.client, call);
  const [vm] = await gateway.db.select().from(vmInstance).where(eq(vmInstance.id, id));
  expect(vm).toMatchObject({ accountId: worker.accountId, keyPairNames: ['laptop'] });
  const shown = { jobid, accountid: worker.accountId, account: 'worker', userid: boss.userId };
  expect(await worker.client.call('queryAsyncJobResult', { jobid })).toMatchObject(shown);
  expect(await boss.client.call('queryAsyncJobResult', { jobid })).toMatchObject(shown);
  // The same call again is the same job, and the key is nobody else's.
  expect(await deploy(boss.client, call)).toEqual({ id, jobid });
  await expect(deploy(boss.client, { keypair: 'laptop' })).rejects.toMatchObject({ errorcode: 431 });
});

test.each([
  ['registerTemplate', 'template', { format: 'QCOW2', hypervisor: 'KVM' }],
  ['registerIso', 'iso', {}],
] as const)('%s for an account makes it the owner, and the event tells who did it', async (command, key, more) => {
  const answer = await boss.client.call(command, { ...image, ...more, ...worker.named });
  const [made] = answer[key] as { id: string; account: string }[];
  expect(made!.account).toBe('worker');
  const told = await gateway.db.select().from(event).where(eq(event.resourceId, made!.id));
  expect(told).toMatchObject([{ accountId: worker.accountId, userId: boss.userId }]);
});

test('key pairs are registered, listed and deleted for an account', async () => {
  const publickey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';
  await boss.client.call('registerSSHKeyPair', { name: 'desk', publickey, ...worker.named });
  const list = () => worker.client.call('listSSHKeyPairs', { name: 'desk' });
  expect(await list()).toMatchObject({ count: 1 });
  await expect(boss.client.call('deleteSSHKeyPair', { name: 'desk' })).rejects.toMatchObject({ errorcode: 431 });
  await boss.client.call('deleteSSHKeyPair', { name: 'desk', ...worker.named });
  expect(await list()).toEqual({});
});

test('the limits that count are those of the owner, also when a root admin calls', async () => {
  const poor = await newMember('poor', 'User', worker.named.domainid);
  const templateid = await addTemplate(gateway, poor, { name: 'of the poor' });
  const limit = (resourcetype: string) =>
    gateway.admin.call('updateResourceLimit', { ...poor.named, resourcetype, max: '0' });
  await limit('0');
  await expect(deploy(gateway.admin, { templateid, ...poor.named })).rejects.toMatchObject({
    errorcode: 535,
    errortext: expect.stringContaining(poor.accountId),
  });
  await limit('4');
  const register = gateway.admin.call('registerIso', { ...image, ...poor.named });
  await expect(register).rejects.toMatchObject({ errorcode: 535 });
  expect(await gateway.db.select().from(vmInstance).where(eq(vmInstance.accountId, poor.accountId))).toEqual([]);
});

test('an account is given nothing that it may not use itself', async () => {
  const templateid = await addTemplate(gateway, boss, { name: 'of the boss' });
  await deploy(boss.client, { templateid });
  await expect(deploy(boss.client, { templateid, ...worker.named })).rejects.toMatchObject({ errorcode: 431 });
});

test('domainid alone changes nothing', async () => {
  const { keypair } = await boss.client.call('createSSHKeyPair', { name: 'own', domainid: worker.named.domainid });
  expect(keypair).toMatchObject({ account: 'boss' });
});

test('only the account that is meant, in a domain of the caller, that may itself call', async () => {
  const own = await newMember('idle', 'User', worker.named.domainid);
  const top = await newMember('top', 'DomainAdmin', root.domainId);
  await gateway.db.update(account).set({ state: 'disabled' }).where(eq(account.id, own.accountId));
  const { domainid } = worker.named;
  const [{ accountName: rootName } = { accountName: '' }] = await gateway.db
    .select()
    .from(account)
    .where(eq(account.id, root.accountId));
  const cases: [CloudStackClient, Partial<Member['named']>, number][] = [
    [boss.client, { account: 'worker' }, 431],
    [boss.client, { account: 'nobody', domainid }, 431],
    [boss.client, { account: 'worker', domainid: randomUUID() }, 431],
    [boss.client, own.named, 531],
    [boss.client, { account: 'worker', domainid: root.domainId }, 531],
    [top.client, { account: rootName, domainid: root.domainId }, 531],
    // A user does not learn which accounts there are.
    [worker.client, { account: 'nobody', domainid }, 531],
    [worker.client, own.named, 531],
    [worker.client, boss.named, 531],
  ];
  const before = (await gateway.db.select().from(vmTemplate)).length;
  for (const [client, named, errorcode] of cases) {
    const call = client.call('registerIso', { ...image, ...named });
    await expect(call).rejects.toMatchObject({ errorcode });
    await expect(deploy(client, named)).rejects.toMatchObject({ errorcode });
  }
  expect(await gateway.db.select().from(vmTemplate)).toHaveLength(before);
  // Themselves they may name.
  await expect(deploy(worker.client, worker.named)).resolves.toHaveProperty('jobid');
});
