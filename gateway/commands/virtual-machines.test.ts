import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { joinHost } from '../../db/join-host.js';
import { asyncJob, dataCenter, event, vmInstance, type VmState, volumes } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { activateTemplate, createTemplate } from '../../db/templates.js';
import { addZone } from '../../tests/support/add-zone.js';
import { giveDisk } from '../../tests/support/give-disk.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

const NOWHERE = '11111111-1111-4111-8111-111111111111';

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;
let offeringId: string;
let templateId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  await writeSettings(gateway.db, { 'max.account.user.vms': '-1', 'max.account.cpus': '-1' });
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
  const { serviceoffering } = await gateway.admin.call('listServiceOfferings', { name: 'Small Instance' });
  offeringId = (serviceoffering as { id: string }[])[0]!.id;
  templateId = await addTemplate(somebody);
  await writeSettings(gateway.db, { 'allow.user.expunge.recover.vm': 'true' });
});
afterAll(() => gateway.stop());

async function addTemplate({ accountId }: TestUser): Promise<string> {
  const { ostype } = await gateway.admin.call('listOsTypes');
  const { id } = await createTemplate(gateway.db, gateway.secretBox, {
    name: 'debian',
    displayText: 'debian',
    accountId,
    guestOsId: (ostype as { id: string }[])[0]!.id,
    format: 'QCOW2',
    url: 'http://images.example/debian.qcow2',
    directDownload: true,
    isPublic: false,
    isFeatured: false,
    isExtractable: false,
    requiresHvm: true,
    bits: 64,
    arch: 'x86_64',
    details: [],
    headers: [],
  });
  await activateTemplate(gateway.db, { templateId: id, zoneIds: [gateway.seeded.zoneId] });
  return id;
}

type Ids = { id: string; jobid: string };

const deploy = (changes = {}, { client } = somebody) =>
  client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offeringId,
    templateid: templateId,
    ...changes,
  }) as Promise<Ids>;

const list = async (filter = {}, { client } = somebody): Promise<Record<string, unknown>[]> => {
  const { virtualmachine = [] } = await client.call('listVirtualMachines', filter);
  return virtualmachine as Record<string, unknown>[];
};

const setState = (id: string, state: VmState) =>
  gateway.db
    .update(vmInstance)
    .set({ state, ended: sql`now()` })
    .where(eq(vmInstance.id, id));

const succeed = (jobid: string) => completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: {} });

describe('deployVirtualMachine', () => {
  test('answers with the VM and the job, and starts the workflow', async () => {
    const { id, jobid } = await deploy({ name: 'web-1', displayname: 'Web server' });
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'deployVirtualMachine',
      workflowId: `vm-${id}`,
      workflowInput: { vmId: id, jobId: jobid },
      accountId: somebody.accountId,
    });
    expect(await list({ id })).toEqual([
      expect.objectContaining({
        id,
        name: 'web-1',
        displayname: 'Web server',
        state: 'Starting',
        account: 'somebody',
        zonename: 'zone-1',
        templateid: templateId,
        templatename: 'debian',
        serviceofferingid: offeringId,
        serviceofferingname: 'Small Instance',
        cpunumber: 1,
        cpuspeed: 500,
        memory: 512,
        nic: [expect.objectContaining({ networkname: 'User', isdefault: true, type: 'User' })],
      }),
    ]);
  });

  test('makes a name when none is given', async () => {
    const { id } = await deploy();
    expect(await list({ id })).toEqual([expect.objectContaining({ name: `VM-${id}`, displayname: `VM-${id}` })]);
  });

  test('answers the same call with the same job, and starts one workflow only', async () => {
    const customjobid = randomUUID();
    const started = gateway.started.length;
    const answers = await Promise.all(Array.from({ length: 5 }, () => deploy({ customjobid })));
    answers.push(await deploy({ customjobid }));
    expect(answers).toEqual(answers.map(() => ({ id: answers[0]!.id, jobid: customjobid })));
    expect(gateway.started).toHaveLength(started + 1);
    await succeed(customjobid);
    expect(await deploy({ customjobid })).toEqual(answers[0]);
    expect(gateway.started).toHaveLength(started + 1);
    expect((await list()).filter(({ id }) => id === answers[0]!.id)).toHaveLength(1);
  });

  test('does not give the job of another account or command away', async () => {
    const customjobid = randomUUID();
    const { id } = await deploy({ customjobid });
    const others = await addTemplate(other);
    const refusal = { errorcode: 431, errortext: expect.stringContaining('is in use; give another customjobid') };
    await expect(deploy({ customjobid, templateid: others }, other)).rejects.toMatchObject(refusal);
    await expect(somebody.client.call('destroyVirtualMachine', { id, customjobid })).rejects.toMatchObject(refusal);
    expect(await list({}, other)).toEqual([]);
  });

  test('does not answer with the job of another command that came at once with the same id', async () => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    const customjobid = randomUUID();
    const outcomes = await Promise.allSettled([
      deploy({ customjobid }),
      somebody.client.call('destroyVirtualMachine', { id, customjobid }),
    ]);
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test.each<[string, Record<string, string | boolean | undefined>, number, string]>([
    ['no template', { templateid: undefined }, 431, 'missing parameter templateid'],
    ['a template that is not there', { templateid: NOWHERE }, 431, `Invalid parameter templateid value=${NOWHERE}`],
    ['a zone that is not there', { zoneid: NOWHERE }, 431, `Invalid parameter zoneid value=${NOWHERE}`],
    ['an offering that is not there', { serviceofferingid: NOWHERE }, 431, 'Invalid parameter serviceofferingid'],
    ['a name that is no host name', { name: '1web' }, 431, 'Invalid name.'],
    ['a name with a hyphen at its end', { name: 'web-' }, 431, 'Invalid name.'],
    ['a long name', { name: 'w'.repeat(64) }, 431, 'Invalid name.'],
    ['addresses', { ipaddress: '10.0.0.1' }, 431, 'does not support parameter ipaddress yet'],
  ])('refuses %s, and leaves nothing behind', async (_what, changes, errorcode, text) => {
    const before = (await list()).length;
    await expect(deploy(changes)).rejects.toMatchObject({ errorcode, errortext: expect.stringContaining(text) });
    expect(await list()).toHaveLength(before);
  });

  test('refuses a template of another account, and one that is not in the zone', async () => {
    await expect(deploy({}, other)).rejects.toMatchObject({ errorcode: 431 });
    const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-3' }).returning();
    await expect(deploy({ zoneid: zone!.id })).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Template debian is not registered in zone zone-3',
    });
  });

  test('leaves a disabled zone to root admins', async () => {
    const zone = eq(dataCenter.id, gateway.seeded.zoneId);
    await gateway.db.update(dataCenter).set({ allocationState: 'Disabled' }).where(zone);
    await expect(deploy()).rejects.toMatchObject({ errorcode: 531 });
    await expect(deploy({}, { ...somebody, client: gateway.admin })).resolves.toHaveProperty('jobid');
    await gateway.db.update(dataCenter).set({ allocationState: 'Enabled' }).where(zone);
  });
});

describe('listVirtualMachines', () => {
  test('shows an account its own, a root admin all with what an operator needs', async () => {
    const { id } = await deploy();
    expect(await list({ id }, other)).toEqual([]);
    const [own] = await list({ id });
    expect(own).not.toHaveProperty('instancename');
    expect(await list({ id }, { ...somebody, client: gateway.admin })).toEqual([{ ...own, instancename: `i-${id}` }]);
  });

  test('finds for root admins what is, or was last, in a place, and what has its disk on a pool', async () => {
    const admin = { ...somebody, client: gateway.admin };
    const { clusterId, podId } = gateway.seeded;
    const [poolId, away] = [randomUUID(), await addZone(gateway.db)];
    const { hostId } = await joinHost(gateway.databaseUrl, {
      name: 'host-of-a-place',
      clusterId,
      publicKey: 'none',
      pools: [{ poolId, type: 'Filesystem', path: '/pool' }],
    });
    const ids = [(await deploy()).id, (await deploy()).id];
    await gateway.db.update(vmInstance).set({ hostId }).where(eq(vmInstance.id, ids[0]!));
    await gateway.db.update(vmInstance).set({ lastHostId: hostId }).where(eq(vmInstance.id, ids[1]!));
    await gateway.db.update(volumes).set({ poolId }).where(eq(volumes.instanceId, ids[1]!));

    const found = async (filter: Record<string, string>): Promise<boolean[]> => {
      const rows = await list({ ids: ids.join(','), ...filter }, admin);
      return ids.map((id) => rows.some((row) => row['id'] === id));
    };
    expect(await found({ hostid: hostId })).toEqual([true, false]);
    expect(await found({ clusterid: clusterId })).toEqual([true, true]);
    expect(await found({ podid: podId })).toEqual([true, true]);
    expect(await found({ storageid: poolId })).toEqual([false, true]);
    expect(await found({ clusterid: away.clusterId })).toEqual([false, false]);
    expect(await found({ podid: away.podId })).toEqual([false, false]);
  });

  test('tells how many there are, and no more, when that is all that is asked for', async () => {
    const counter = await gateway.addUser('counter');
    const count = (command: string, filter = {}) =>
      counter.client.call(command, { ...filter, retrieveonlyresourcecount: true });
    expect(await count('listVirtualMachines')).toEqual({});
    const templateid = await addTemplate(counter);
    for (const name of ['one', 'two']) await deploy({ templateid, name }, counter);
    expect(await count('listVirtualMachines')).toEqual({ count: 2 });
    expect(await count('listVirtualMachines', { page: 3, pagesize: 1 })).toEqual({ count: 2 });
    expect(await count('listVirtualMachines', { name: 'one' })).toEqual({ count: 1 });
    expect(await count('listVolumes')).toEqual({ count: 2 });
    expect(await count('listNetworks', { type: 'User' })).toEqual({ count: 1 });
  });

  test.each(['hostid', 'podid', 'clusterid', 'storageid'])(
    'tells nobody else by %s where something is',
    async (name) => {
      await expect(list({ [name]: NOWHERE })).rejects.toMatchObject({
        errorcode: 531,
        errortext: `Parameter ${name} can only be specified by a Root Admin, permission denied`,
      });
    },
  );

  test.each<[VmState, boolean, boolean]>([
    ['Stopped', true, true],
    ['Error', true, true],
    ['Destroyed', true, false],
    ['Expunging', true, false],
    ['Expunged', false, false],
  ])('a VM that is %s: listed %s, present %s', async (state, isListed, isPresent) => {
    const { id } = await deploy();
    await setState(id, state);
    expect(await list({ id })).toHaveLength(isListed ? 1 : 0);
    expect(await list({ id, state: 'Present' })).toHaveLength(isPresent ? 1 : 0);
  });

  test('says why a VM is in Error', async () => {
    const { id } = await deploy();
    await gateway.db
      .update(vmInstance)
      .set({ state: 'Error', ended: sql`now()`, errorText: 'host-1: full', errorOwnerText: 'No room' })
      .where(eq(vmInstance.id, id));
    expect(await list({ id })).toMatchObject([{ state: 'Error', errortext: 'No room' }]);
  });

  test('filters and pages, and counts all that match', async () => {
    const third = await gateway.addUser('third');
    const template = await addTemplate(third);
    for (const name of ['a_1', 'a-1', 'b-1']) {
      await deploy({ templateid: template, name: name.replace('_', ''), displayname: name }, third);
    }
    const names = async (filter: object) => (await list(filter, third)).map(({ displayname }) => displayname);
    expect(await names({ keyword: 'A_' })).toEqual(['a_1']);
    expect(await names({ name: 'b' })).toEqual(['b-1']);
    expect(await names({ templateid: NOWHERE })).toEqual([]);
    expect(await names({ state: 'starting' })).toHaveLength(3);
    expect(await third.client.call('listVirtualMachines', { page: 2, pagesize: 2 })).toMatchObject({
      count: 3,
      virtualmachine: [{ displayname: 'b-1' }],
    });
    expect(await third.client.call('listVirtualMachines', { page: 3, pagesize: 2 })).toEqual({ count: 3 });
    await expect(list({ pagesize: 501 })).rejects.toMatchObject({ errorcode: 431 });
  });
});

describe('destroyVirtualMachine', () => {
  test('answers with a job, and starts the workflow', async () => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    const destroyed = await somebody.client.call('destroyVirtualMachine', { id, expunge: true });
    expect(destroyed).toEqual({ jobid: expect.any(String) });
    expect(gateway.started.at(-1)).toMatchObject({
      id: destroyed['jobid'],
      workflowType: 'destroyVirtualMachine',
      workflowId: `vm-${id}`,
      workflowInput: { vmId: id, jobId: destroyed['jobid'], expunge: true },
    });
  });

  test('says that the VM is busy while it is deployed', async () => {
    const { id } = await deploy();
    await expect(somebody.client.call('destroyVirtualMachine', { id })).rejects.toMatchObject({ errorcode: 536 });
  });

  test('does not answer with the job that destroys another VM', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { id, jobid } = await deploy();
      await succeed(jobid);
      ids.push(id);
    }
    const customjobid = randomUUID();
    const destroy = (id: string) => somebody.client.call('destroyVirtualMachine', { id, customjobid });
    const outcomes = await Promise.allSettled(ids.map(destroy));
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = ids[outcomes.findIndex(({ status }) => status === 'rejected')]!;
    await expect(destroy(refused)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('is in use; give another customjobid'),
    });
  });

  test('answers calls with one customjobid that come at once with one job', async () => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    const customjobid = randomUUID();
    const destroy = () => somebody.client.call('destroyVirtualMachine', { id, customjobid });
    expect(await Promise.all(Array.from({ length: 5 }, destroy))).toEqual(Array(5).fill({ jobid: customjobid }));
  });

  test('does not find the VM of another account, nor one that is expunged', async () => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    const refusal = { errorcode: 431, errortext: expect.stringContaining(`Invalid parameter id value=${id}`) };
    await expect(other.client.call('destroyVirtualMachine', { id })).rejects.toMatchObject(refusal);
    await setState(id, 'Expunged');
    await expect(somebody.client.call('destroyVirtualMachine', { id })).rejects.toMatchObject(refusal);
  });

  test('answers a repeated call when the VM is gone', async () => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    const customjobid = randomUUID();
    const destroy = () => somebody.client.call('destroyVirtualMachine', { id, customjobid, expunge: true });
    await destroy();
    await succeed(customjobid);
    await setState(id, 'Expunged');
    expect(await destroy()).toEqual({ jobid: customjobid });
  });
});

describe('startVirtualMachine, stopVirtualMachine and rebootVirtualMachine', () => {
  const deployed = async (): Promise<string> => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    return id;
  };

  test.each([
    ['startVirtualMachine', {}, {}],
    ['stopVirtualMachine', {}, { isForced: false }],
    ['stopVirtualMachine', { forced: true }, { isForced: true }],
    ['rebootVirtualMachine', {}, { isForced: false }],
    ['rebootVirtualMachine', { forced: true }, { isForced: true }],
  ])('%s with %j answers with a job, and starts the workflow with %j', async (command, parameters, input) => {
    const id = await deployed();
    const answer = await somebody.client.call(command, { id, ...parameters });
    expect(answer).toEqual({ jobid: expect.any(String) });
    const jobId = answer['jobid'];
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobId,
      workflowType: command,
      workflowId: `vm-${id}`,
      workflowInput: { vmId: id, jobId, ...input },
    });
    // Whatever comes next is told at once that the VM is busy.
    for (const next of ['startVirtualMachine', 'stopVirtualMachine', 'rebootVirtualMachine', 'destroyVirtualMachine']) {
      await expect(somebody.client.call(next, { id })).rejects.toMatchObject({ errorcode: 536 });
    }
  });

  test.each(['startVirtualMachine', 'stopVirtualMachine', 'rebootVirtualMachine'])(
    '%s does not find the VM of another account',
    async (command) => {
      const id = await deployed();
      await expect(other.client.call(command, { id })).rejects.toMatchObject({
        errorcode: 431,
        errortext: expect.stringContaining(`Invalid parameter id value=${id}`),
      });
    },
  );

  test('leave the choice of a host to root admins, and take none that is not there', async () => {
    const id = await deployed();
    const ask = (client: TestUser['client']) => client.call('startVirtualMachine', { id, hostid: NOWHERE });
    await expect(ask(somebody.client)).rejects.toMatchObject({ errorcode: 531 });
    await expect(ask(gateway.admin)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(`Invalid parameter hostid value=${NOWHERE}`),
    });
  });
});

describe('recoverVirtualMachine', () => {
  const recover = (id: string, { client } = somebody) => client.call('recoverVirtualMachine', { id });

  /** Destroyed, with its disk. */
  const destroyed = async (): Promise<string> => {
    const { id, jobid } = await deploy();
    await succeed(jobid);
    await setState(id, 'Destroyed');
    await giveDisk(gateway, id);
    return id;
  };

  test('answers with the VM, Stopped again, and tells of it', async () => {
    const id = await destroyed();
    expect(await recover(id)).toEqual({ virtualmachine: expect.objectContaining({ id, state: 'Stopped' }) });
    expect(await list({ id })).toMatchObject([{ state: 'Stopped' }]);
    const told = await gateway.db.select().from(event).where(eq(event.resourceId, id));
    expect(told).toMatchObject([{ type: 'VM.RECOVER', accountId: somebody.accountId }]);
  });

  test.each<VmState>(['Starting', 'Stopped', 'Error', 'Expunging'])('refuses a VM that is %s', async (state) => {
    const id = await destroyed();
    await setState(id, state);
    await expect(recover(id)).rejects.toMatchObject({ errorcode: 431, errortext: expect.stringContaining(' is ') });
  });

  test('refuses one whose deployment failed, a busy one, and those of others', async () => {
    const { id, jobid } = await deploy();
    await setState(id, 'Destroyed');
    await expect(recover(id)).rejects.toMatchObject({ errorcode: 536 });
    await succeed(jobid);
    await gateway.db.update(vmInstance).set({ errorText: 'no host is left' }).where(eq(vmInstance.id, id));
    await expect(recover(id)).rejects.toMatchObject({ errortext: expect.stringContaining('has no disk') });
    await expect(recover(await destroyed(), other)).rejects.toMatchObject({ errorcode: 431 });
  });
});

describe('queryAsyncJobResult', () => {
  const query = (jobid: string, { client } = somebody) => client.call('queryAsyncJobResult', { jobid });

  test('tells of a job in progress', async () => {
    const { id, jobid } = await deploy();
    expect(await query(jobid)).toEqual({
      jobid,
      accountid: somebody.accountId,
      account: 'somebody',
      domainid: expect.any(String),
      domainpath: 'ROOT',
      userid: expect.any(String),
      cmd: 'org.apache.cloudstack.api.command.user.vm.DeployVMCmd',
      jobstatus: 0,
      jobprocstatus: 0,
      jobresultcode: 0,
      jobinstancetype: 'VirtualMachine',
      jobinstanceid: id,
      created: expect.stringMatching(/\+0000$/),
    });
  });

  test('gives the VM as it is now, also when it is expunged', async () => {
    const { id, jobid } = await deploy();
    await setState(id, 'Stopped');
    await succeed(jobid);
    expect(await query(jobid)).toMatchObject({
      jobstatus: 1,
      jobresultcode: 0,
      jobresulttype: 'object',
      jobresult: { virtualmachine: { id, state: 'Stopped' } },
      completed: expect.stringMatching(/\+0000$/),
    });
    await setState(id, 'Expunged');
    expect(await query(jobid)).toMatchObject({ jobresult: { virtualmachine: { id, state: 'Expunging' } } });
  });

  test('gives the error of a job that failed, and the client throws it', async () => {
    const { jobid } = await deploy();
    const result = { errorcode: 530, errortext: 'No space' };
    const stored = { ...result, errortext: 'host-1: no space; host-2: gone', ownertext: 'No space' };
    await completeJob(gateway.db, jobid, { status: 'failed', resultCode: 530, result: stored });
    expect(await query(jobid)).toMatchObject({ jobstatus: 2, jobresultcode: 530, jobresult: result });
    await expect(somebody.client.waitForJob(jobid, { timeoutMs: 1000 })).rejects.toMatchObject({
      name: 'CloudStackApiError',
      ...result,
    });
  });

  test('does not find the job of another account, which a root admin does', async () => {
    const { jobid } = await deploy();
    await expect(query(jobid, other)).rejects.toMatchObject({ errorcode: 431 });
    await expect(query(jobid, { ...other, client: gateway.admin })).resolves.toHaveProperty('jobid', jobid);
    await gateway.db.delete(asyncJob).where(eq(asyncJob.id, jobid));
    await expect(query(jobid)).rejects.toMatchObject({ errorcode: 431 });
  });
});
