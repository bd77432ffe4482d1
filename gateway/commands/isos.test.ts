import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { completeJob } from '../../db/jobs.js';
import { dataCenter, vmTemplate } from '../../db/schema/index.js';
import { SlipwayError } from '../../shared/errors.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

type Iso = Record<string, unknown> & { id: string };
type Changes = Record<string, string | boolean | undefined>;

const NOWHERE = '11111111-1111-4111-8111-111111111111';

let gateway: TestGateway;
let owner: TestUser;
let other: TestUser;
let admin: TestUser;
let osTypeId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  owner = await gateway.addUser('owner');
  other = await gateway.addUser('other');
  admin = { ...owner, client: gateway.admin };
  const { ostype } = await gateway.admin.call('listOsTypes');
  osTypeId = (ostype as { id: string }[])[0]!.id;
  await gateway.db.insert(dataCenter).values({ name: 'zone-2' });
});
afterAll(() => gateway.stop());

const parameters = () => ({
  name: 'debian-netinst',
  url: 'https://user:word@images.example/netinst.iso?token=secret',
  directdownload: true,
  ostypeid: osTypeId,
  zoneid: gateway.seeded.zoneId,
});

const call = (changes: Changes = {}, { client } = owner) =>
  client.call('registerIso', { ...parameters(), ...changes }) as Promise<{ count: number; iso: Iso[] }>;

const register = async (changes: Changes = {}, user = owner): Promise<Iso> => (await call(changes, user)).iso[0]!;

async function registerTemplate(): Promise<string> {
  const { template } = await owner.client.call('registerTemplate', {
    ...parameters(),
    format: 'QCOW2',
    hypervisor: 'KVM',
  });
  return (template as Iso[])[0]!.id;
}

async function list(more: Changes = {}, { client } = owner): Promise<string[]> {
  const { iso = [] } = await client.call('listIsos', more);
  return (iso as Iso[]).map(({ id }) => id);
}

describe('registerIso', () => {
  test('answers with an ISO that is ready at once', async () => {
    const digest = 'ab'.repeat(32);
    const { count, iso } = await call({ checksum: `{SHA-256}${digest}` });
    expect(count).toBe(1);
    expect(iso[0]).toMatchObject({
      name: 'debian-netinst',
      displaytext: 'debian-netinst',
      bootable: true,
      isready: true,
      directdownload: true,
      status: 'Bypassed Secondary Storage',
      size: 1024,
      checksum: digest,
      url: 'https://images.example/netinst.iso',
      zoneid: gateway.seeded.zoneId,
      ostypeid: osTypeId,
      arch: 'x86_64',
      downloaddetails: [],
    });
    // What only a template has.
    for (const key of ['hypervisor', 'templatetype', 'details']) expect(iso[0]).not.toHaveProperty(key);
    const { id } = iso[0]!;
    expect(gateway.executed.at(-1)).toMatchObject({
      workflowType: 'registerTemplate',
      workflowId: `template-${id}`,
      input: { templateId: id, zoneIds: [gateway.seeded.zoneId], format: 'ISO' },
    });
    expect(JSON.stringify(gateway.executed.at(-1))).not.toMatch(/secret|word@/);
    const [row] = await gateway.db.select().from(vmTemplate).where(eq(vmTemplate.id, id));
    expect(row).toMatchObject({ format: 'ISO', hypervisorType: 'None' });
    expect(gateway.secretBox.decrypt(row!.urlEncrypted)).toBe(parameters().url);
  });

  test('has one element per zone', async () => {
    const { count, iso } = await call({ zoneid: '-1' });
    expect([count, ...iso.map(({ zonename }) => zonename)]).toEqual([2, 'zone-1', 'zone-2']);
  });

  test('needs no OS type for one that no machine starts from', async () => {
    const iso = await register({ bootable: false, ostypeid: undefined });
    expect(iso).toMatchObject({ bootable: false });
    expect(iso).not.toHaveProperty('ostypeid');
  });

  test('features an ISO for a root admin only', async () => {
    expect(await register({ isfeatured: true, ispublic: true })).toMatchObject({ isfeatured: false, ispublic: true });
    expect(await register({ isfeatured: true, ispublic: true }, admin)).toMatchObject({ isfeatured: true });
  });

  test('goes straight to primary storage where nothing is said: Ansible cannot say it', async () => {
    expect(await register({ directdownload: undefined })).toMatchObject({ directdownload: true, isready: true });
  });

  test.each<[string, Changes, string]>([
    ['no zone', { zoneid: undefined }, 'missing parameter zoneid'],
    ['a zone that is not there', { zoneid: NOWHERE }, `Invalid parameter zoneid value=${NOWHERE}`],
    ['no OS type for a bootable one', { ostypeid: undefined }, 'Please pass a valid GuestOS Id'],
    ['an OS type that is not there', { ostypeid: NOWHERE }, 'Invalid parameter ostypeid'],
    ['one that is not bootable with such an OS type', { bootable: false, ostypeid: NOWHERE }, 'parameter ostypeid'],
    ['secondary storage', { directdownload: false }, 'Slipway has no secondary storage'],
    ['a URL of another scheme', { url: 'file:///etc/passwd' }, 'not an absolute http, https or nfs URL'],
    ['a short checksum', { checksum: '{SHA-256}abcd' }, 'length should be 64 instead of 4'],
    ['a project', { projectid: NOWHERE }, 'does not support parameter projectid yet'],
    ['an image store', { imagestoreuuid: NOWHERE }, 'does not support parameter imagestoreuuid yet'],
  ])('refuses %s, and asks no host', async (_what, changes, text) => {
    const executed = gateway.executed.length;
    await expect(register(changes)).rejects.toMatchObject({ errorcode: 431, errortext: expect.stringContaining(text) });
    expect(gateway.executed).toHaveLength(executed);
  });

  test('takes no headers: details are not among its parameters', async () => {
    const { id } = await register({ 'details[0].HTTP_HEADER:X-Token': 'secret' } as Changes);
    expect(JSON.stringify((await owner.client.call('listIsos', { id }))['iso'])).not.toContain('X-Token');
  });

  test('passes on why no host could read the URL', async () => {
    const { onExecute } = gateway;
    gateway.onExecute = () => Promise.reject(new SlipwayError('SLIPWAY_URL_VALIDATION', 'host-1: 404 Not Found'));
    await expect(register()).rejects.toMatchObject({ errorcode: 530, errortext: 'No host could read the URL' });
    gateway.onExecute = onExecute;
    const { templateId } = gateway.executed.at(-1)!.input as { templateId: string };
    expect(await gateway.db.select().from(vmTemplate).where(eq(vmTemplate.id, templateId))).toEqual([]);
  });
});

describe('listIsos', () => {
  let own: string;
  let plain: string;
  let template: string;
  let community: string;
  let featured: string;

  beforeAll(async () => {
    await gateway.db.update(vmTemplate).set({ state: 'Inactive' });
    own = (await register()).id;
    plain = (await register({ bootable: false, name: 'drivers' })).id;
    template = await registerTemplate();
    community = (await register({ ispublic: true }, other)).id;
    featured = (await register({ ispublic: true, isfeatured: true }, admin)).id;
    await register({}, other);
  });

  test('lists ISOs only, and listTemplates none', async () => {
    expect(await list()).toEqual([own, plain]);
    const { template: templates } = await owner.client.call('listTemplates', { templatefilter: 'executable' });
    expect((templates as Iso[]).map(({ id }) => id)).toEqual([template]);
    expect(await list({ id: template })).toEqual([]);
    expect(await owner.client.call('listTemplates', { templatefilter: 'self', id: own })).toEqual({});
  });

  test.each<[string, Changes, () => string[]]>([
    ['with filter self', { isofilter: 'self' }, () => [own, plain]],
    ['with filter executable', { isofilter: 'executable' }, () => [own, plain, community, featured]],
    ['with filter featured', { isofilter: 'featured' }, () => [featured]],
    ['with filter community', { isofilter: 'community' }, () => [community]],
    ['with filter shared', { isofilter: 'shared' }, () => []],
    ['that are bootable', { bootable: true }, () => [own]],
    ['that are not bootable', { bootable: false }, () => [plain]],
    ['that are public', { isofilter: 'executable', ispublic: true }, () => [community, featured]],
    ['that are private', { isofilter: 'executable', ispublic: false }, () => [own, plain]],
    ['by name', { name: 'DRIV' }, () => [plain]],
    ['by account', { isofilter: 'executable', account: 'OWNER' }, () => [own, plain]],
    ['for any hypervisor', { hypervisor: 'KVM' }, () => [own, plain]],
    ['that are ready', { isready: true }, () => [own, plain]],
    ['ready or not', { isready: false }, () => [own, plain]],
  ])('lists those %s', async (_what, filter, expected) => {
    expect(await list(filter)).toEqual(expected());
  });

  test('shows everything to root admins alone', async () => {
    expect(await list({ isofilter: 'all' }, admin)).toHaveLength(5);
    await expect(list({ isofilter: 'all' })).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Filter all can be specified by admin only',
    });
  });

  test('shows the URL to the owner, and to nobody else', async () => {
    const { iso } = await owner.client.call('listIsos', { isofilter: 'community' });
    for (const key of ['downloaddetails', 'status', 'url']) expect((iso as Iso[])[0]).not.toHaveProperty(key);
  });
});

describe('deleteIso', () => {
  const erase = (id: string, more: Changes = {}, { client } = owner) =>
    client.call('deleteIso', { id, ...more }) as Promise<{ jobid: string }>;

  test('answers with a job, starts the workflow, and the job ends in success', async () => {
    const { id } = await register();
    const { jobid } = await erase(id, { zoneid: gateway.seeded.zoneId });
    expect(gateway.started.at(-1)).toMatchObject({
      id: jobid,
      workflowType: 'deleteTemplate',
      workflowId: `template-${id}`,
      workflowInput: { templateId: id, jobId: jobid, zoneId: gateway.seeded.zoneId, isForced: false },
      instanceType: 'Iso',
    });
    await completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result: { success: true } });
    expect(await owner.client.call('queryAsyncJobResult', { jobid })).toMatchObject({
      cmd: 'org.apache.cloudstack.api.command.user.iso.DeleteIsoCmd',
      jobstatus: 1,
      jobresult: { success: true },
      jobinstancetype: 'Iso',
    });
  });

  test('gives the same job to a call that is repeated, and none of another command', async () => {
    const { id } = await register();
    const customjobid = randomUUID();
    await erase(id, { customjobid });
    expect(await erase(id, { customjobid })).toEqual({ jobid: customjobid });
    await expect(owner.client.call('deleteTemplate', { id, customjobid })).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('is in use'),
    });
  });

  test('is for the owner and for root admins', async () => {
    const shared = (await register({ ispublic: true })).id;
    await expect(erase(shared, {}, other)).rejects.toMatchObject({ errorcode: 531 });
    await expect(erase(shared, {}, admin)).resolves.toHaveProperty('jobid');
    const own = (await register()).id;
    await expect(erase(own, {}, other)).rejects.toMatchObject({ errorcode: 431 });
  });

  test('leaves templates to deleteTemplate, and that leaves ISOs to it', async () => {
    await expect(erase(await registerTemplate())).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Please specify a valid iso.',
    });
    const { id } = await register();
    await expect(owner.client.call('deleteTemplate', { id })).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Please specify a valid template.',
    });
  });
});

test('no machine is deployed from an ISO', async () => {
  const { serviceoffering } = await owner.client.call('listServiceOfferings');
  const deployment = owner.client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: (serviceoffering as Iso[])[0]!.id,
    templateid: (await register()).id,
  });
  await expect(deployment).rejects.toMatchObject({
    errorcode: 431,
    errortext: 'Installing from ISO requires a disk offering to be specified for the root disk.',
  });
});
