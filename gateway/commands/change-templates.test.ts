import { randomUUID } from 'node:crypto';
import { and, eq } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { dataCenter, event, storagePool, templateStoreRef, vmTemplate } from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

const NOWHERE = '11111111-1111-4111-8111-111111111111';

type Changes = Record<string, string | boolean | undefined>;

let gateway: TestGateway;
let owner: TestUser;
let other: TestUser;
let admin: TestUser;
let osTypeId: string;

beforeAll(async () => {
  gateway = await startTestGateway({ limits: { settingsAgeMs: 0 } });
  await writeSettings(gateway.db, { 'max.account.templates': '-1' });
  owner = await gateway.addUser('owner');
  other = await gateway.addUser('other');
  admin = { ...owner, client: gateway.admin };
  const { ostype } = await gateway.admin.call('listOsTypes');
  osTypeId = (ostype as { id: string }[])[0]!.id;
});
afterAll(() => gateway.stop());

async function register(changes: Changes = {}, { client } = owner): Promise<string> {
  const { template } = await client.call('registerTemplate', {
    name: 'debian',
    url: 'https://images.example/debian.qcow2',
    format: 'QCOW2',
    hypervisor: 'KVM',
    directdownload: true,
    ostypeid: osTypeId,
    zoneid: gateway.seeded.zoneId,
    ...changes,
  });
  return (template as { id: string }[])[0]!.id;
}

async function registerIso(changes: Changes = {}): Promise<string> {
  const { iso } = await owner.client.call('registerIso', {
    name: 'netinst',
    url: 'https://images.example/netinst.iso',
    directdownload: true,
    bootable: false,
    zoneid: gateway.seeded.zoneId,
    ...changes,
  });
  return (iso as { id: string }[])[0]!.id;
}

describe('updateTemplate and updateIso', () => {
  const updatesOf = (id: string) =>
    gateway.db
      .select()
      .from(event)
      .where(and(eq(event.resourceId, id), eq(event.type, 'TEMPLATE.UPDATE')));

  test('change what is given, leave the rest, and say so in an event', async () => {
    const id = await register({ displaytext: 'Debian' });
    const { template } = await owner.client.call('updateTemplate', {
      id,
      name: 'debian-13',
      requireshvm: false,
      arch: 'aarch64',
    });
    expect(template).toMatchObject({
      id,
      name: 'debian-13',
      displaytext: 'Debian',
      arch: 'aarch64',
      requireshvm: false,
    });
    expect(await updatesOf(id)).toMatchObject([
      { type: 'TEMPLATE.UPDATE', description: 'debian-13 was changed: name, arch, requiresHvm' },
    ]);
  });

  test('say what an ISO is', async () => {
    const id = await registerIso();
    const { iso } = await owner.client.call('updateIso', { id, bootable: true, ostypeid: osTypeId, displaytext: 'D' });
    expect(iso).toMatchObject({ id, name: 'netinst', bootable: true, ostypeid: osTypeId, displaytext: 'D' });
  });

  test('change nothing, and tell nobody, when nothing is asked for', async () => {
    const id = await register();
    expect(await owner.client.call('updateTemplate', { id })).toMatchObject({ template: { name: 'debian' } });
    expect(await updatesOf(id)).toEqual([]);
  });

  test('are for the owner and for root admins', async () => {
    const id = await register({ ispublic: true });
    const rename = ({ client }: TestUser) => client.call('updateTemplate', { id, name: 'mine' });
    await expect(rename(other)).rejects.toMatchObject({ errorcode: 531 });
    await expect(rename(admin)).resolves.toMatchObject({ template: { name: 'mine' } });
  });

  test.each<[string, string, () => Promise<Changes>, string]>([
    ['an ISO as a template', 'updateTemplate', async () => ({ id: await registerIso() }), 'specify a valid template'],
    ['a template as an ISO', 'updateIso', async () => ({ id: await register() }), 'specify a valid iso'],
    ['what is not there', 'updateIso', () => Promise.resolve({ id: NOWHERE }), 'Invalid parameter id value'],
    [
      'an OS type that is not there',
      'updateTemplate',
      async () => ({ id: await register(), ostypeid: NOWHERE }),
      'Invalid parameter ostypeid',
    ],
    [
      'details, which would be lost',
      'updateTemplate',
      async () => ({ id: await register(), 'details[0].a': 'b' }),
      'does not support parameter details yet',
    ],
  ])('refuse %s', async (_, command, parameters, text) => {
    const call = owner.client.call(command, await parameters());
    await expect(call).rejects.toMatchObject({ errorcode: 431, errortext: expect.stringContaining(text) });
  });
});

test('a system template is registered by a root admin, made one, and then deployed by nobody', async () => {
  await expect(register({ isrouting: true })).rejects.toMatchObject({ errorcode: 531 });
  await expect(register({ templatetype: 'ROUTING' })).rejects.toMatchObject({ errorcode: 431 });
  const id = await register({ isrouting: true, ispublic: true }, admin);
  const show = async () => (await admin.client.call('listTemplates', { templatefilter: 'all', id }))['template'];
  expect(await show()).toMatchObject([{ templatetype: 'ROUTING' }]);
  await admin.client.call('updateTemplate', { id, templatetype: 'SYSTEM' });
  expect(await show()).toMatchObject([{ templatetype: 'SYSTEM' }]);
  const systemOnly = { templatefilter: 'all', templatetype: 'system' };
  expect((await admin.client.call('listTemplates', systemOnly))['count']).toBe(1);

  const { serviceoffering } = await admin.client.call('listServiceOfferings');
  for (const { client } of [owner, admin]) {
    const deployed = client.call('deployVirtualMachine', {
      templateid: id,
      zoneid: gateway.seeded.zoneId,
      serviceofferingid: (serviceoffering as { id: string }[])[0]!.id,
    });
    await expect(deployed).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Unable to use system template debian to deploy a user vm',
    });
  }
  await expect(admin.client.call('deleteTemplate', { id })).rejects.toMatchObject({ errorcode: 431 });
  await admin.client.call('deleteTemplate', { id, issystem: true });
});

test('what was made a system template is its owner’s to rename and no longer to change', async () => {
  const id = await register();
  await admin.client.call('updateTemplate', { id, templatetype: 'SYSTEM' });
  const call = (command: string, more: Changes = {}) => owner.client.call(command, { id, ...more });
  await expect(call('updateTemplate', { templatetype: 'USER' })).rejects.toMatchObject({ errorcode: 531 });
  await expect(call('refreshTemplate')).rejects.toMatchObject({ errorcode: 531 });
  const renamed = await call('updateTemplate', { name: 'other' });
  expect(renamed).toMatchObject({ template: { name: 'other', templatetype: 'SYSTEM' } });
});

test('a system template has to be in every zone', async () => {
  const id = await register();
  const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-2' }).returning();
  const make = () => admin.client.call('updateTemplate', { id, templatetype: 'SYSTEM' });
  await expect(make()).rejects.toMatchObject({ errortext: 'System and Builtin templates must be cross zone.' });
  await gateway.db.insert(templateStoreRef).values({ templateId: id, dataCenterId: zone!.id });
  await expect(make()).resolves.toMatchObject({ template: { templatetype: 'SYSTEM' } });
});

test('updateTemplatePermissions says who may use it, and only a root admin what is featured', async () => {
  const id = await register();
  const change = (more: Changes, { client } = owner) => client.call('updateTemplatePermissions', { id, ...more });
  expect(await change({ ispublic: true })).toEqual({ success: true });
  expect(await other.client.call('listTemplates', { templatefilter: 'community' })).toMatchObject({
    template: expect.arrayContaining([expect.objectContaining({ id })]) as unknown,
  });
  await expect(change({ isfeatured: true })).rejects.toMatchObject({ errorcode: 531 });
  await change({ isfeatured: true }, admin);
  await expect(change({ ispublic: false }, other)).rejects.toMatchObject({ errorcode: 531 });
  await expect(change({ op: 'add', accounts: 'other' })).rejects.toMatchObject({ errorcode: 431 });
  const [row] = await gateway.db.select().from(vmTemplate).where(eq(vmTemplate.id, id));
  expect(row).toMatchObject({ isPublic: true, isFeatured: true });
});

test('users give nothing to everybody unless the setting of their account lets them, and administrators do', async () => {
  const [id, iso] = [await register(), await registerIso()];
  const set = (value: string) =>
    gateway.admin.call('updateConfiguration', {
      name: 'allow.public.user.templates',
      value,
      accountid: owner.accountId,
    });
  const able = async ({ client }: TestUser) => {
    const { capability } = await client.call('listCapabilities');
    return (capability as Record<string, unknown>)['userpublictemplateenabled'];
  };
  await set('false');
  expect([await able(owner), await able(other)]).toEqual([false, true]);
  const refused = { errorcode: 431, errortext: expect.stringMatching(/^Only private/) as string };
  const change = (command: string, of: string, { client } = owner) => client.call(command, { id: of, ispublic: true });
  await expect(register({ ispublic: true })).rejects.toMatchObject(refused);
  await expect(registerIso({ ispublic: true })).rejects.toMatchObject(refused);
  await expect(change('updateTemplatePermissions', id)).rejects.toMatchObject(refused);
  await expect(change('updateIsoPermissions', iso)).rejects.toMatchObject(refused);
  await register({ ispublic: false });
  await register({ ispublic: true }, other);
  await register({ ispublic: true }, admin);
  expect(await change('updateIsoPermissions', iso, admin)).toEqual({ success: true });
  await set('null');
  expect(await change('updateTemplatePermissions', id)).toEqual({ success: true });
});

describe('refreshTemplate', () => {
  test.each([
    ['the registered checksum', undefined, undefined],
    ['another one', '{md5}D41D8CD98F00B204E9800998ECF8427E', '{MD5}d41d8cd98f00b204e9800998ecf8427e'],
    ['none', 'none', null],
  ])('is a job of the template, with %s', async (_, checksum, expected) => {
    const id = await register();
    const { jobid } = await owner.client.call('refreshTemplate', { id, checksum });
    const job = gateway.started.at(-1)!;
    expect(job).toMatchObject({ id: jobid, workflowType: 'refreshTemplate', workflowId: `template-${id}` });
    expect(job.workflowInput).toEqual({
      templateId: id,
      jobId: jobid,
      ...(expected === undefined ? {} : { checksum: expected }),
    });
    // One thing at a time.
    await expect(owner.client.call('deleteTemplate', { id })).rejects.toMatchObject({ errorcode: 536 });
  });

  test('gives the same job to a repeated call', async () => {
    const call = { id: await registerIso(), customjobid: randomUUID() };
    const first = await owner.client.call('refreshTemplate', call);
    expect(await owner.client.call('refreshTemplate', call)).toEqual(first);
  });

  test('is for the owner and for root admins, and takes known checksums', async () => {
    const id = await register({ ispublic: true });
    await expect(other.client.call('refreshTemplate', { id })).rejects.toMatchObject({ errorcode: 531 });
    const unknown = owner.client.call('refreshTemplate', { id, checksum: '{CRC32}abcd' });
    await expect(unknown).rejects.toMatchObject({ errorcode: 431 });
    await expect(owner.client.call('refreshTemplate', { id: NOWHERE })).rejects.toMatchObject({ errorcode: 431 });
    await expect(admin.client.call('refreshTemplate', { id })).resolves.toHaveProperty('jobid');
  });
});

describe('prepareTemplate', () => {
  let poolId: string;
  beforeAll(async () => {
    const { zoneId } = gateway.seeded;
    const pool = { name: 'pool-1', dataCenterId: zoneId, poolType: 'Filesystem', scope: 'HOST' } as const;
    poolId = (await gateway.db.insert(storagePool).values(pool).returning())[0]!.id;
  });
  const prepare = (templateid: string, more: Changes = {}, { client } = admin) =>
    client.call('prepareTemplate', { templateid, zoneid: gateway.seeded.zoneId, ...more });

  test('answers with the template, and begins a job that it names', async () => {
    const id = await register();
    const { count, template } = await prepare(id);
    expect(count).toBe(1);
    const { jobid } = (template as { jobid: string }[])[0]!;
    expect(template).toMatchObject([{ id, zoneid: gateway.seeded.zoneId, downloaddetails: [] }]);
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'prestageTemplate',
      workflowId: `prestage-${id}-${gateway.seeded.zoneId}`,
      workflowInput: { templateId: id, zoneId: gateway.seeded.zoneId, jobId: jobid },
    });
    expect(await prepare(id)).toMatchObject({ template: [{ jobid }] });
    // It may take hours, and keeps nobody from deleting the template.
    await expect(owner.client.call('deleteTemplate', { id })).resolves.toHaveProperty('jobid');
    await completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: { success: true } });
    expect(await admin.client.call('queryAsyncJobResult', { jobid })).toMatchObject({
      cmd: 'org.apache.cloudstack.api.command.admin.template.PrepareTemplateCmd',
      jobresult: { success: true },
    });
  });

  test('takes an ISO, and one pool', async () => {
    const id = await registerIso();
    expect(await prepare(id, { storageid: poolId })).toMatchObject({ template: [{ id, format: 'ISO' }] });
    expect(gateway.started.at(-1)).toMatchObject({ workflowId: `prestage-${id}-${poolId}`, workflowInput: { poolId } });
  });

  test.each<[string, () => Promise<Changes>, string]>([
    ['a template that is not there', () => Promise.resolve({ templateid: NOWHERE }), 'Invalid parameter templateid'],
    ['a zone that is not there', () => Promise.resolve({ zoneid: NOWHERE }), 'Invalid parameter zoneid'],
    ['a pool that is not there', () => Promise.resolve({ storageid: NOWHERE }), 'Invalid parameter storageid'],
    [
      'a pool of another zone, and a template that is not in it',
      async () => {
        const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-3' }).returning();
        return { zoneid: zone!.id };
      },
      'debian is not registered in that zone',
    ],
  ])('refuses %s', async (_, changes, text) => {
    const call = prepare(await register(), await changes());
    await expect(call).rejects.toMatchObject({ errorcode: 431, errortext: expect.stringContaining(text) });
  });

  test('is for root admins', async () => {
    await expect(prepare(await register(), {}, owner)).rejects.toMatchObject({ errorcode: 432 });
  });
});

describe('a sort key says where something comes in its list', () => {
  type Made = () => Promise<string>;
  const made = async (command: string, key: string, parameters: Changes): Promise<string> => {
    const answer = await gateway.admin.call(command, { name: `sorted-${randomUUID()}`, ...parameters });
    return (answer[key] as { id: string }).id;
  };
  const serviceOffering: Made = () =>
    made('createServiceOffering', 'serviceoffering', { cpunumber: '1', cpuspeed: '1', memory: '32' });

  test.each<[string, string, string, Made, Changes]>([
    ['updateTemplate', 'listTemplates', 'template', register, { templatefilter: 'all', listall: true }],
    ['updateIso', 'listIsos', 'iso', registerIso, { isofilter: 'all', listall: true }],
    ['updateServiceOffering', 'listServiceOfferings', 'serviceoffering', serviceOffering, {}],
    [
      'updateDiskOffering',
      'listDiskOfferings',
      'diskoffering',
      () => made('createDiskOffering', 'diskoffering', { disksize: '1' }),
      {},
    ],
    [
      'updateZone',
      'listZones',
      'zone',
      () => made('createZone', 'zone', { networktype: 'Advanced', dns1: '192.0.2.1', internaldns1: '192.0.2.1' }),
      {},
    ],
  ])('%s gives it, and %s has that order', async (update, list, key, make, filter) => {
    const { admin: root } = gateway;
    const [late, early] = [await make(), await make()];
    expect(await root.call(update, { id: late, sortkey: 7 })).toMatchObject({ [key]: { id: late, sortkey: 7 } });
    await root.call(update, { id: early, sortkey: -7 });
    const listed = async (page = {}): Promise<string[]> => {
      const { [key]: rows } = await root.call(list, { ...filter, ...page });
      return (rows as { id: string }[]).map(({ id }) => id);
    };
    const rising = await listed();
    expect([rising.at(0), rising.at(-1)]).toEqual([early, late]);
    await writeSettings(gateway.db, { 'sortkey.algorithm': 'false' });
    const falling = await listed();
    await writeSettings(gateway.db, { 'sortkey.algorithm': 'true' });
    expect([falling.at(0), falling.at(-1)]).toEqual([late, early]);
    expect(await listed({ page: 2, pagesize: 1 })).toEqual([rising[1]]);
  });
});
