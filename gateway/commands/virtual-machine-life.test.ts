import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { dataCenter, event, vmInstance, type VmState, vmTemplate } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { activateTemplate, createTemplate } from '../../db/templates.js';
import type { ImageFormat } from '../../shared/images.js';
import { giveDisk } from '../../tests/support/give-disk.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;
let operator: TestUser;
let offeringId: string;
let templateId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  await writeSettings(gateway.db, { 'max.account.user.vms': '-1', 'max.account.cpus': '-1' });
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
  operator = { ...somebody, client: gateway.admin };
  const { serviceoffering } = await gateway.admin.call('listServiceOfferings', { name: 'Small Instance' });
  offeringId = (serviceoffering as { id: string }[])[0]!.id;
  templateId = await addImage();
});
afterAll(() => gateway.stop());

async function addImage({ owner = somebody, format = 'QCOW2' as ImageFormat, zoneIds = [gateway.seeded.zoneId] } = {}) {
  const { ostype } = await gateway.admin.call('listOsTypes');
  const { id } = await createTemplate(gateway.db, gateway.secretBox, {
    name: format === 'ISO' ? 'installer' : 'debian',
    displayText: 'an image',
    accountId: owner.accountId,
    guestOsId: (ostype as { id: string }[])[0]!.id,
    format,
    url: 'http://images.example/image',
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
  await activateTemplate(gateway.db, { templateId: id, zoneIds, sizeBytes: 2 * 1024 ** 3 });
  return id;
}

/** A VM that was deployed, in some state. */
async function vm(state: VmState = 'Stopped'): Promise<string> {
  const { id, jobid } = (await somebody.client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offeringId,
    templateid: templateId,
  })) as { id: string; jobid: string };
  await completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: {} });
  await giveDisk(gateway, id);
  await gateway.db
    .update(vmInstance)
    .set({ state, ended: sql`now()`, errorText: state === 'Error' ? 'host-1: full' : null })
    .where(eq(vmInstance.id, id));
  return id;
}

const list = async (id: string) =>
  (await somebody.client.call('listVirtualMachines', { id }))['virtualmachine'] as Record<string, unknown>[];

const events = async (id: string) =>
  (await gateway.db.select().from(event).where(eq(event.resourceId, id))).map(({ type }) => type);

const refused = (errorcode: number, text: string) => ({
  errorcode,
  errortext: expect.stringContaining(text) as string,
});

describe('who may expunge and recover', () => {
  const calls: [string, (id: string, user: TestUser) => Promise<unknown>][] = [
    ['expungeVirtualMachine', (id, { client }) => client.call('expungeVirtualMachine', { id })],
    [
      'destroyVirtualMachine with expunge',
      (id, { client }) => client.call('destroyVirtualMachine', { id, expunge: true }),
    ],
    ['recoverVirtualMachine', (id, { client }) => client.call('recoverVirtualMachine', { id })],
  ];

  test.each(calls)('%s: an administrator; a user when the setting says so', async (_name, call) => {
    const id = await vm('Destroyed');
    await expect(call(id, somebody)).rejects.toMatchObject(refused(531, 'allow.user.expunge.recover.vm'));
    await expect(call(id, operator)).resolves.toBeDefined();
    await writeSettings(gateway.db, { 'allow.user.expunge.recover.vm': 'true' });
    await expect(call(await vm('Destroyed'), somebody)).resolves.toBeDefined();
    await writeSettings(gateway.db, { 'allow.user.expunge.recover.vm': 'false' });
  });

  test('a user of an account for which the setting says so, and of no other', async () => {
    const id = await vm('Destroyed');
    const recover = () => somebody.client.call('recoverVirtualMachine', { id });
    const allow = ({ accountId }: TestUser) => ({ name: 'allow.user.expunge.recover.vm', accountid: accountId });
    await gateway.admin.call('updateConfiguration', { ...allow(other), value: 'true' });
    await expect(recover()).rejects.toMatchObject(refused(531, 'allow.user.expunge.recover.vm'));
    const { capability } = await other.client.call('listCapabilities', {});
    expect(capability).toMatchObject({ allowuserexpungerecovervm: true });
    await gateway.admin.call('updateConfiguration', { ...allow(somebody), value: 'true' });
    await expect(recover()).resolves.toBeDefined();
    for (const user of [somebody, other]) await gateway.admin.call('resetConfiguration', allow(user));
  });

  test('a user destroys without expunge', async () => {
    await expect(somebody.client.call('destroyVirtualMachine', { id: await vm() })).resolves.toHaveProperty('jobid');
  });
});

describe('expungeVirtualMachine', () => {
  test('starts what destroys for good', async () => {
    const id = await vm('Destroyed');
    const { jobid } = await gateway.admin.call('expungeVirtualMachine', { id });
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'destroyVirtualMachine',
      workflowId: `vm-${id}`,
      workflowInput: { vmId: id, jobId: jobid, expunge: true },
    });
    await expect(gateway.admin.call('recoverVirtualMachine', { id })).rejects.toMatchObject({ errorcode: 536 });
  });

  test.each<VmState>(['Stopping', 'Stopped', 'Starting'])('refuses a VM that is %s', async (state) => {
    const id = await vm(state);
    const started = gateway.started.length;
    const refusal = refused(431, 'Please destroy vm with specified vmId before expunge');
    await expect(gateway.admin.call('expungeVirtualMachine', { id })).rejects.toMatchObject(refusal);
    expect(gateway.started).toHaveLength(started);
    // No job was left behind.
    await expect(gateway.admin.call('destroyVirtualMachine', { id })).resolves.toHaveProperty('jobid');
  });

  test('takes one in Error too', async () => {
    const id = await vm('Error');
    await expect(gateway.admin.call('expungeVirtualMachine', { id })).resolves.toHaveProperty('jobid');
  });
});

describe('updateVirtualMachine', () => {
  const update = (id: string, changes: object, { client } = somebody) =>
    client.call('updateVirtualMachine', { id, ...changes });

  test('changes names and user data, which are encrypted where they lie, and tells of it', async () => {
    const id = await vm();
    const userdata = Buffer.from('#cloud-config\npassword: hunter2\n').toString('base64');
    expect(await update(id, { displayname: 'The web', name: 'web-2', userdata })).toEqual({
      virtualmachine: expect.objectContaining({ id, displayname: 'The web', name: 'web-2' }),
    });
    const [row] = await gateway.db.select().from(vmInstance).where(eq(vmInstance.id, id));
    expect(row!.userDataEncrypted).not.toContain(userdata);
    expect(gateway.secretBox.decrypt(row!.userDataEncrypted!)).toBe(userdata);
    const told = await gateway.db.select().from(event).where(eq(event.resourceId, id));
    expect(told).toMatchObject([{ type: 'VM.UPDATE', accountId: somebody.accountId, userId: expect.any(String) }]);
    expect(JSON.stringify(told) + gateway.log()).not.toContain(userdata);
  });

  test('changes user data that are read by getVirtualMachineUserData, and in no log', async () => {
    const virtualmachineid = await vm();
    const read = () => somebody.client.call('getVirtualMachineUserData', { virtualmachineid });
    expect(await read()).toEqual({ virtualmachineuserdata: { virtualmachineid } });
    const userdata = Buffer.from('#cloud-config\npassword: hunter2\n').toString('base64');
    await update(virtualmachineid, { userdata });
    expect(await read()).toEqual({ virtualmachineuserdata: { virtualmachineid, userdata } });
    expect(gateway.log()).not.toContain(userdata);
  });

  test('changes the display name of a VM that runs, and its name only when it is Stopped', async () => {
    const id = await vm('Stopping');
    await expect(update(id, { displayname: 'other' })).resolves.toMatchObject({
      virtualmachine: { displayname: 'other' },
    });
    await expect(update(id, { name: 'other' })).rejects.toMatchObject(refused(431, 'stop it to change its name'));
  });

  test('with nothing to change does nothing', async () => {
    const id = await vm();
    await expect(update(id, {})).resolves.toHaveProperty('virtualmachine');
    expect(await events(id)).toEqual([]);
  });

  test.each([
    ['a name that is none', { name: '1web' }, 'Invalid name.'],
    ['user data that is not base64', { userdata: 'not base64!' }, 'User data is not base64 encoded'],
    ['too much user data', { userdata: Buffer.alloc(40_000).toString('base64') }, 'User data is too long'],
    ['an OS type', { ostypeid: randomUUID() }, 'does not support parameter ostypeid yet'],
  ])('refuses %s', async (_what, changes, text) => {
    await expect(update(await vm(), changes)).rejects.toMatchObject(refused(431, text));
  });

  test('does not find the VM of another account', async () => {
    await expect(update(await vm(), { displayname: 'mine' }, other)).rejects.toMatchObject({ errorcode: 431 });
  });
});

describe('cancelJob', () => {
  const job = async () => (await somebody.client.call('startVirtualMachine', { id: await vm() }))['jobid'] as string;

  test('asks the workflow of a job to end: its owner may, and an administrator', async () => {
    for (const { client } of [somebody, operator]) {
      const jobid = await job();
      expect(await client.call('cancelJob', { jobid })).toEqual({ success: true });
      expect(gateway.cancelled.at(-1)).toMatchObject({ id: jobid });
    }
  });

  test('does not find the job of another account', async () => {
    await expect(other.client.call('cancelJob', { jobid: await job() })).rejects.toMatchObject({ errorcode: 431 });
  });

  test('says that a job has ended', async () => {
    const jobid = await job();
    await completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: {} });
    await expect(somebody.client.call('cancelJob', { jobid })).rejects.toMatchObject(refused(431, 'has ended'));
  });
});

describe('attachIso and detachIso', () => {
  const attach = (vmId: string, id: string, { client } = somebody) =>
    client.call('attachIso', { id, virtualmachineid: vmId });
  const detach = (vmId: string) => somebody.client.call('detachIso', { virtualmachineid: vmId });
  const setIso = (id: string, isoId: string | null) =>
    gateway.db.update(vmInstance).set({ isoId }).where(eq(vmInstance.id, id));

  test('start their workflows', async () => {
    const id = await vm();
    const isoId = await addImage({ format: 'ISO' });
    const { jobid } = await attach(id, isoId);
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'attachIso',
      workflowId: `vm-${id}`,
      workflowInput: { vmId: id, jobId: jobid, isoId },
    });
    await expect(detach(id)).rejects.toMatchObject({ errorcode: 536 });
    await completeJob(gateway.db, jobid as string, { status: 'succeeded', resultCode: 0, result: {} });
    await setIso(id, isoId);
    expect(await list(id)).toMatchObject([{ isoid: isoId, isoname: 'installer' }]);
    await detach(id);
    expect(gateway.started.at(-1)).toMatchObject({ workflowType: 'detachIso', workflowId: `vm-${id}` });
  });

  test('answer the same call with the same job', async () => {
    const id = await vm();
    const [isoId, customjobid] = [await addImage({ format: 'ISO' }), randomUUID()];
    const call = () => somebody.client.call('attachIso', { id: isoId, virtualmachineid: id, customjobid });
    expect(await Promise.all([call(), call(), call()])).toEqual(Array(3).fill({ jobid: customjobid }));
    await completeJob(gateway.db, customjobid, { status: 'succeeded', resultCode: 0, result: {} });
    await setIso(id, isoId);
    expect(await call()).toEqual({ jobid: customjobid });
  });

  test('refuse what cannot be', async () => {
    const id = await vm();
    const isoId = await addImage({ format: 'ISO' });
    await expect(detach(id)).rejects.toMatchObject(refused(431, 'The specified VM has no ISO attached to it.'));
    await expect(attach(id, templateId)).rejects.toMatchObject(
      refused(431, `Invalid parameter id value=${templateId}`),
    );
    const others = await addImage({ format: 'ISO', owner: other });
    await expect(attach(id, others)).rejects.toMatchObject(refused(431, `Invalid parameter id value=${others}`));
    await expect(attach(id, isoId, other)).rejects.toMatchObject(refused(431, 'Invalid parameter virtualmachineid'));
    const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-2' }).returning();
    const elsewhere = await addImage({ format: 'ISO', zoneIds: [zone!.id] });
    await expect(attach(id, elsewhere)).rejects.toMatchObject(refused(431, 'is not registered in the zone'));
    await setIso(id, isoId);
    await expect(attach(id, isoId)).rejects.toMatchObject(refused(431, 'already has an ISO attached'));
    const destroyed = await vm('Destroyed');
    await expect(attach(destroyed, isoId)).rejects.toMatchObject(refused(431, 'either Stopped or Running'));
  });
});

describe('restoreVirtualMachine', () => {
  const restore = (vmId: string, changes = {}) =>
    somebody.client.call('restoreVirtualMachine', { virtualmachineid: vmId, ...changes });

  test('starts its workflow with what was asked for, and whether the VM is to run afterwards', async () => {
    const id = await vm();
    const template = await addImage();
    const { jobid } = await restore(id, { templateid: template, rootdisksize: 8, expunge: true });
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'restoreVirtualMachine',
      workflowId: `vm-${id}`,
      workflowInput: { vmId: id, jobId: jobid, templateId: template, sizeBytes: 8 * 1024 ** 3, isToRun: false },
    });
    await expect(restore(id)).rejects.toMatchObject({ errorcode: 536 });
  });

  test('takes the size of a disk offering', async () => {
    const { diskoffering } = await somebody.client.call('listDiskOfferings', { name: 'Small' });
    const [small] = diskoffering as { id: string; disksize: number }[];
    await restore(await vm(), { diskofferingid: small!.id });
    expect(gateway.started.at(-1)!.workflowInput).toMatchObject({
      sizeBytes: small!.disksize * 1024 ** 3,
      diskOfferingId: small!.id,
    });
    const both = { diskofferingid: small!.id, rootdisksize: 8 };
    await expect(restore(await vm(), both)).rejects.toMatchObject(refused(431, 'does not allow custom disk size'));
  });

  test.each<[string, object, string]>([
    ['a template that is not there', { templateid: randomUUID() }, 'Invalid parameter templateid'],
    ['a disk offering that is not there', { diskofferingid: randomUUID() }, 'Invalid parameter diskofferingid'],
    ['details', { 'details[0].rootdisksize': '8' }, 'does not support parameter details yet'],
  ])('refuses %s', async (_what, changes, text) => {
    await expect(restore(await vm(), changes)).rejects.toMatchObject(refused(431, text));
  });

  test.each([
    ['a system template', 'QCOW2', { type: 'SYSTEM' }, 'Unable to use system template'],
    ['an ISO that no guest boots from', 'ISO', { bootable: false }, 'requires an ISO that is bootable'],
  ] as const)('refuses %s', async (_what, format, changes, text) => {
    const templateid = await addImage({ format });
    await gateway.db.update(vmTemplate).set(changes).where(eq(vmTemplate.id, templateid));
    await expect(restore(await vm(), { templateid })).rejects.toMatchObject(refused(431, text));
  });

  test('refuses a VM that is neither Running nor Stopped', async () => {
    await expect(restore(await vm('Error'))).rejects.toMatchObject(refused(431, 'either Stopped or Running'));
  });
});
