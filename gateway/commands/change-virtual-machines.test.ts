import { eq } from 'drizzle-orm';
import { joinHost } from '../../db/join-host.js';
import { event, serviceOffering, storagePool, vmInstance, volumes } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { createJob } from '../../db/jobs.js';
import { userNetworkOf } from '../../db/networks.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

/** What of a stopped VM can be changed beside its names: what it takes of a host, and who may log in to it. */

const NOWHERE = '11111111-1111-4111-8111-111111111111';
const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHExKbaKCFtKxnTRYcaxk0lPvBCmkYR1MeNmVGYeFZBG';

let gateway: TestGateway;
let owner: TestUser;
let vmId: string;
let small: string;
let medium: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  owner = await gateway.addUser('owner');
  const offering = async (name: string) =>
    (await gateway.db.select().from(serviceOffering).where(eq(serviceOffering.name, name)))[0]!.id;
  small = await offering('Small Instance');
  medium = await offering('Medium Instance');
  const { id } = await createVirtualMachine(gateway.db, {
    name: 'web',
    accountId: owner.accountId,
    zoneId: gateway.seeded.zoneId,
    templateId: await addTemplate(gateway, owner),
    serviceOfferingId: small,
    nics: [{ networkId: await userNetworkOf(gateway.db, gateway.seeded.zoneId) }],
  });
  vmId = id;
  for (const name of ['first', 'second']) {
    await owner.client.call('registerSSHKeyPair', { name, publickey: PUBLIC_KEY });
  }
});
beforeEach(() =>
  gateway.db.update(vmInstance).set({ state: 'Stopped', serviceOfferingId: small }).where(eq(vmInstance.id, vmId)),
);
afterAll(() => gateway.stop());

const vmRow = async () => (await gateway.db.select().from(vmInstance).where(eq(vmInstance.id, vmId)))[0]!;
const change = (serviceofferingid: string, command = 'changeServiceForVirtualMachine') =>
  owner.client.call(command, { id: vmId, serviceofferingid });
const latestEvent = async () =>
  (await gateway.db.select().from(event).where(eq(event.resourceId, vmId)).orderBy(event.created)).at(-1);

describe('another service offering', () => {
  it('is shown at once, and kept with who gave it', async () => {
    expect(await change(medium)).toMatchObject({
      virtualmachine: { id: vmId, state: 'Stopped', serviceofferingid: medium, memory: 1024 },
    });
    expect(await latestEvent()).toMatchObject({
      type: 'VM.UPGRADE',
      description: 'VM web was given the service offering Medium Instance in place of Small Instance',
      accountId: owner.accountId,
    });
  });

  it('is given by a job too, which has ended when the call is answered', async () => {
    const { jobid } = (await change(medium, 'scaleVirtualMachine')) as { jobid: string };
    expect(await owner.client.call('queryAsyncJobResult', { jobid })).toMatchObject({
      jobstatus: 1,
      cmd: 'org.apache.cloudstack.api.command.user.vm.ScaleVMCmd',
      jobresult: { virtualmachine: { id: vmId, serviceofferingid: medium } },
    });
  });

  const lacksTags = async (): Promise<void> => {
    const pool = { poolId: crypto.randomUUID(), type: 'Filesystem' as const, path: '/pool' };
    const joined = { name: pool.poolId, clusterId: gateway.seeded.clusterId, publicKey: 'key', pools: [pool] };
    await joinHost(gateway.databaseUrl, joined);
    await gateway.db.update(storagePool).set({ tags: ['slow'] });
    const disk = { state: 'Ready', path: 'disk', poolId: pool.poolId } as const;
    await gateway.db.update(volumes).set(disk).where(eq(volumes.instanceId, vmId));
    await gateway.db
      .update(serviceOffering)
      .set({ storageTags: ['fast'] })
      .where(eq(serviceOffering.id, medium));
  };

  it.each<[string, () => Promise<unknown>, number, string]>([
    [
      'of a VM that runs',
      () => gateway.db.update(vmInstance).set({ state: 'Stopping' }).where(eq(vmInstance.id, vmId)),
      431,
      'VM web is Stopping: stop it to change its service offering',
    ],
    [
      'that is more than its account may have',
      () => writeSettings(gateway.db, { 'max.account.memory': '1023' }),
      535,
      "resources of Type = 'memory'",
    ],
    ['whose tags the pool of the disk has not', lacksTags, 431, 'does not have the tags of the service offering'],
  ])('is refused: one %s', async (_what, prepare, errorcode, text) => {
    await prepare();
    for (const command of ['changeServiceForVirtualMachine', 'scaleVirtualMachine']) {
      await expect(change(medium, command)).rejects.toMatchObject({
        errorcode,
        errortext: expect.stringContaining(text) as string,
      });
    }
    expect(await vmRow()).toMatchObject({ serviceOfferingId: small });
    // Less is taken back whatever the limit.
    await writeSettings(gateway.db, { 'max.account.memory': '40960' });
  });

  it('is given to a VM without a disk, although a host has yet to undo a first start on a pool without its tags', async () => {
    await lacksTags();
    const disk = { state: 'Allocated', path: null } as const;
    await gateway.db.update(volumes).set(disk).where(eq(volumes.instanceId, vmId));
    expect(await change(medium)).toMatchObject({ virtualmachine: { serviceofferingid: medium } });
  });

  it('is refused when there is no such offering, and while something works on the VM', async () => {
    await expect(change(NOWHERE)).rejects.toMatchObject({ errorcode: 431 });
    const system = (await findDefaultAdmin(gateway.db))!;
    const job = await createJob(gateway.db, {
      id: crypto.randomUUID(),
      accountId: owner.accountId,
      userId: system.userId,
      jobCmd: 'startVirtualMachine',
      workflowType: 'startVirtualMachine',
      workflowId: `vm-${vmId}`,
      workflowInput: {},
      instanceType: 'VirtualMachine',
      instanceId: vmId,
    });
    await expect(change(small)).rejects.toMatchObject({ errorcode: 536 });
    await gateway.db.execute(`update async_job set job_status = 1, completed = now() where id = '${job.id}'`);
  });
});

describe('other SSH keys', () => {
  const reset = (parameters: Record<string, string>, client = owner.client) =>
    client.call('resetSSHKeyForVirtualMachine', { id: vmId, ...parameters });

  it('take the place of those it had, and make it an instance of its own for cloud-init', async () => {
    const { jobid } = (await reset({ keypair: 'first' })) as { jobid: string };
    expect(await owner.client.call('queryAsyncJobResult', { jobid })).toMatchObject({
      jobstatus: 1,
      cmd: 'org.apache.cloudstack.api.command.user.vm.ResetVMSSHKeyCmd',
      jobresult: { virtualmachine: { id: vmId, keypairs: 'first' } },
    });
    await reset({ keypairs: 'second,first' });
    expect(await vmRow()).toMatchObject({
      keyPairNames: ['second', 'first'],
      sshPublicKeys: [PUBLIC_KEY, PUBLIC_KEY],
      keyResets: 2,
    });
  });

  it('are those of the account that an administrator names', async () => {
    await expect(reset({ keypair: 'first' }, gateway.admin)).rejects.toMatchObject({ errorcode: 431 });
    const { virtualmachine } = await gateway.admin.call('listVirtualMachines', { id: vmId });
    const [{ domainid }] = virtualmachine as [{ domainid: string }];
    await reset({ keypair: 'first', account: 'owner', domainid }, gateway.admin);
    expect(await vmRow()).toMatchObject({ keyPairNames: ['first'] });
  });

  it.each<[string, Record<string, string>, string]>([
    ['no key', {}, 'Give the name of an SSH key pair'],
    ['a key that is not there', { keypair: 'third' }, "A key pair with name 'third' was not found"],
  ])('are refused: %s', async (_what, parameters, text) => {
    await expect(reset(parameters)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(text) as string,
    });
  });

  it('are refused for a VM that runs', async () => {
    await gateway.db.update(vmInstance).set({ state: 'Starting' }).where(eq(vmInstance.id, vmId));
    await expect(reset({ keypair: 'first' })).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'VM web is Starting: stop it to change its SSH keys',
    });
  });
});

test('the interfaces of a virtual machine are listed by themselves', async () => {
  const { virtualmachine } = await owner.client.call('listVirtualMachines', { id: vmId });
  const [{ nic }] = virtualmachine as [{ nic: [Record<string, unknown>] }];
  const listed = (filter = {}) => owner.client.call('listNics', { virtualmachineid: vmId, ...filter });
  const expected = { count: 1, nic: [{ ...nic[0], virtualmachineid: vmId }] };
  expect(await listed()).toEqual(expected);
  expect(await listed({ nicid: nic[0]['id'], networkid: nic[0]['networkid'] })).toEqual(expected);
  expect(await listed({ networkid: NOWHERE })).toEqual({});
  await expect(listed({ virtualmachineid: NOWHERE })).rejects.toMatchObject({ errorcode: 431 });
});

test('a change that is repeated with its job id is answered alike, whatever has become of the keys and the machine', async () => {
  await owner.client.call('registerSSHKeyPair', { name: 'brief', publickey: PUBLIC_KEY });
  const calls = [
    ['resetSSHKeyForVirtualMachine', { id: vmId, keypair: 'brief', customjobid: crypto.randomUUID() }],
    ['scaleVirtualMachine', { id: vmId, serviceofferingid: small, customjobid: crypto.randomUUID() }],
  ] as const;
  const answers = async () => {
    const all = [];
    for (const [command, parameters] of calls) all.push(await owner.client.call(command, parameters));
    return all;
  };
  const first = await answers();
  const { keyResets } = await vmRow();
  await owner.client.call('deleteSSHKeyPair', { name: 'brief' });
  await gateway.db.update(vmInstance).set({ state: 'Expunged' }).where(eq(vmInstance.id, vmId));
  expect(await answers()).toEqual(first);
  expect(await vmRow()).toMatchObject({ keyResets });
});
