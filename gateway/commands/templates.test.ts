import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { dataCenter, storagePool, templateSpoolRef, vmTemplate } from '../../db/schema/index.js';
import { activateTemplate } from '../../db/templates.js';
import { SlipwayError } from '../../shared/errors.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

type Template = Record<string, unknown> & { id: string };

let gateway: TestGateway;
let somebody: TestUser;
let osTypeId: string;
let otherZoneId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  const { ostype } = await gateway.admin.call('listOsTypes', { description: 'debian gnu/linux 12' });
  osTypeId = (ostype as { id: string }[])[0]!.id;
  const [zone] = await gateway.db.insert(dataCenter).values({ name: 'zone-2' }).returning();
  otherZoneId = zone!.id;
});
afterAll(() => gateway.stop());

const parameters = () => ({
  name: 'debian',
  url: 'https://user:word@images.example/debian.qcow2?token=secret',
  format: 'QCOW2',
  hypervisor: 'KVM',
  directdownload: true,
  ostypeid: osTypeId,
  zoneid: gateway.seeded.zoneId,
});

async function register(
  changes: Record<string, string | boolean | undefined> = {},
  { client } = somebody,
): Promise<Template> {
  const { template } = await client.call('registerTemplate', { ...parameters(), ...changes });
  return (template as Template[])[0]!;
}

async function list(filter: string, { client } = somebody, more = {}): Promise<string[]> {
  const { template = [] } = await client.call('listTemplates', { templatefilter: filter, ...more });
  return (template as Template[]).map(({ id }) => id);
}

describe('registerTemplate', () => {
  test('goes straight to primary storage where nothing is said: Ansible cannot say it', async () => {
    const made = await register({ directdownload: undefined });
    expect(made).toMatchObject({ directdownload: true, isready: true });
    await somebody.client.call('deleteTemplate', { id: made.id });
  });

  test('answers with a template that is ready at once', async () => {
    const { client } = somebody;
    const digest = 'AB'.repeat(32);
    const answer = await client.call('registerTemplate', {
      ...parameters(),
      checksum: `{sha-256}${digest}`,
      'details[0].rootDiskController': 'virtio',
    });
    expect(answer).toEqual({
      count: 1,
      template: [
        expect.objectContaining({
          name: 'debian',
          displaytext: 'debian',
          isready: true,
          directdownload: true,
          status: 'Bypassed Secondary Storage',
          format: 'QCOW2',
          size: 1024,
          checksum: digest.toLowerCase(),
          url: 'https://images.example/debian.qcow2',
          zoneid: gateway.seeded.zoneId,
          zonename: 'zone-1',
          account: 'somebody',
          ostypeid: osTypeId,
          details: { rootDiskController: 'virtio' },
          downloaddetails: [],
          ispublic: false,
          created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/),
        }),
      ],
    });
    const { id } = (answer['template'] as Template[])[0]!;
    expect(gateway.executed.at(-1)).toMatchObject({
      workflowType: 'registerTemplate',
      workflowId: `template-${id}`,
      input: { templateId: id, zoneIds: [gateway.seeded.zoneId], format: 'QCOW2' },
    });
    // What Temporal keeps can be read in its Web UI.
    expect(JSON.stringify(gateway.executed.at(-1))).not.toMatch(/secret|word@/);
    const [row] = await gateway.db.select().from(vmTemplate).where(eq(vmTemplate.id, id));
    expect(gateway.secretBox.decrypt(row!.urlEncrypted)).toBe(parameters().url);
  });

  test.each([
    ['-1 as zoneid', () => ({ zoneid: '-1' })],
    ['-1 as zoneids', () => ({ zoneid: undefined, zoneids: '-1' })],
    ['each zone by its id', () => ({ zoneid: undefined, zoneids: `${otherZoneId},${gateway.seeded.zoneId}` })],
  ])('has one element per zone: %s', async (_what, zones) => {
    const answer = await somebody.client.call('registerTemplate', { ...parameters(), ...zones() });
    expect(answer['count']).toBe(2);
    expect((answer['template'] as Template[]).map((template) => template['zonename'])).toEqual(['zone-1', 'zone-2']);
  });

  test.each<[string, Record<string, string | boolean | undefined>, string]>([
    ['no zone', { zoneid: undefined }, 'Either zoneid or zoneids is required'],
    ['both zone parameters', { zoneids: '-1' }, 'Both zoneid and zoneids cannot be specified'],
    [
      'every zone and another',
      { zoneid: undefined, zoneids: '-1,11111111-1111-4111-8111-111111111111' },
      'cannot combine all zones',
    ],
    [
      'a zone that is not there',
      { zoneid: '11111111-1111-4111-8111-111111111111' },
      'Invalid parameter zoneid value=11111111',
    ],
    ['no OS type', { ostypeid: undefined }, 'Please provide a guest OS type'],
    [
      'an OS type that is not there',
      { ostypeid: '11111111-1111-4111-8111-111111111111' },
      'Invalid parameter ostypeid',
    ],
    ['secondary storage', { directdownload: false }, 'Slipway has no secondary storage'],
    ['another hypervisor', { hypervisor: 'VMware' }, 'directdownload is only allowed for KVM'],
    ['another format', { format: 'OVA' }, 'invalid value OVA for parameter format'],
    ['a URL of another scheme', { url: 'file:///etc/passwd' }, 'not an absolute http, https or nfs URL'],
    ['what is no URL', { url: 'images.example/x.qcow2' }, 'not an absolute http, https or nfs URL'],
    ['a long URL', { url: `http://images.example/${'x'.repeat(2048)}` }, 'max allowed length 2048 for param: url'],
    ['an unknown algorithm', { checksum: '{CRC32}abcd' }, 'not one of the supported algorithms'],
    ['a short checksum', { checksum: '{SHA-256}abcd' }, 'length should be 64 instead of 4'],
    ['a project', { projectid: '11111111-1111-4111-8111-111111111111' }, 'does not support parameter projectid yet'],
  ])('refuses %s, and asks no host', async (_what, changes, text) => {
    const executed = gateway.executed.length;
    await expect(register(changes)).rejects.toMatchObject({ errorcode: 431, errortext: expect.stringContaining(text) });
    expect(gateway.executed).toHaveLength(executed);
  });

  test('passes on why no host could read the URL', async () => {
    const { onExecute } = gateway;
    gateway.onExecute = () => Promise.reject(new SlipwayError('SLIPWAY_URL_VALIDATION', 'host-1: 404 Not Found'));
    await expect(register()).rejects.toMatchObject({ errorcode: 530, errortext: 'No host could read the URL' });
    gateway.onExecute = onExecute;
  });

  test('leaves nothing when Temporal does not answer, and a late workflow makes nothing of it', async () => {
    const { onExecute } = gateway;
    gateway.onExecute = () => Promise.reject(new SlipwayError('SLIPWAY_UNAVAILABLE', 'Temporal did not answer'));
    await expect(register()).rejects.toMatchObject({ errorcode: 534 });
    gateway.onExecute = onExecute;
    const { templateId } = gateway.executed.at(-1)!.input as { templateId: string };
    expect(await gateway.db.select().from(vmTemplate).where(eq(vmTemplate.id, templateId))).toEqual([]);
    await expect(activateTemplate(gateway.db, { templateId, zoneIds: [gateway.seeded.zoneId] })).rejects.toMatchObject({
      code: 'SLIPWAY_RESOURCE_STATE',
    });
  });

  test('answers with the template when it is registered and only the answer of Temporal was lost', async () => {
    const { onExecute } = gateway;
    gateway.onExecute = async (call) => {
      await onExecute(call);
      throw new SlipwayError('SLIPWAY_UNAVAILABLE', 'Temporal did not answer');
    };
    expect(await register()).toMatchObject({ name: 'debian', isready: true });
    gateway.onExecute = onExecute;
  });

  test('features a template for a root admin only', async () => {
    const admin = { ...somebody, client: gateway.admin };
    expect(await register({ isfeatured: true, ispublic: true })).toMatchObject({ isfeatured: false });
    expect(await register({ isfeatured: true, ispublic: true }, admin)).toMatchObject({ isfeatured: true });
  });
});

describe('listTemplates', () => {
  let other: TestUser;
  let own: string;
  let secret: string;
  let featured: string;
  let community: string;

  beforeAll(async () => {
    await gateway.db.update(vmTemplate).set({ state: 'Inactive' });
    other = await gateway.addUser('other');
    own = (await register()).id;
    secret = (await register({}, other)).id;
    community = (await register({ ispublic: true }, other)).id;
    featured = (await register({ ispublic: true, isfeatured: true }, { ...other, client: gateway.admin })).id;
  });

  test.each([
    ['self', () => [own]],
    ['selfexecutable', () => [own]],
    ['executable', () => [own, community, featured]],
    ['featured', () => [featured]],
    ['community', () => [community]],
    ['shared', () => []],
    ['sharedexecutable', () => []],
  ])('shows an account with filter %s what it may see', async (filter, expected) => {
    expect(await list(filter)).toEqual(expected());
  });

  test('shows a root admin everything with filter all, and others nothing', async () => {
    expect(await list('all', { ...somebody, client: gateway.admin })).toEqual([own, secret, community, featured]);
    await expect(list('all')).rejects.toMatchObject({
      errorcode: 431,
      errortext: 'Filter all can be specified by admin only',
    });
  });

  test.each([
    ['by id', () => ({ id: featured }), () => [featured]],
    ['by ids', () => ({ ids: `${own},${secret}` }), () => [own]],
    ['by zone', () => ({ zoneid: otherZoneId }), () => []],
    ['by account', () => ({ account: 'SOMEBODY' }), () => [own]],
    ['by a page', () => ({ page: 2, pagesize: 2 }), () => [featured]],
    ['that are not ready', () => ({ isready: false }), () => []],
  ])('lists %s', async (_what, more, expected) => {
    expect(await list('executable', somebody, more())).toEqual(expected());
  });

  test('does not list a template that a host has not validated yet', async () => {
    const { onExecute } = gateway;
    gateway.onExecute = () => Promise.resolve();
    await somebody.client.call('registerTemplate', parameters());
    gateway.onExecute = onExecute;
    expect(await list('self')).toEqual([own]);
  });

  test('shows the progress on each pool to the owner, and to nobody else', async () => {
    const [pool] = await gateway.db
      .insert(storagePool)
      .values({ name: 'pool-1', dataCenterId: gateway.seeded.zoneId, poolType: 'Filesystem', scope: 'HOST' })
      .returning();
    const copy = { poolId: pool!.id, templateId: community, generation: 1 };
    await gateway.db.insert(templateSpoolRef).values([
      { ...copy, state: 'Superseded' },
      {
        ...copy,
        state: 'Downloading',
        downloadState: 'DOWNLOAD_IN_PROGRESS',
        downloadPct: 37,
        downloadedBytes: 370,
        bytesPerSecond: 100,
        downloadSource: 'https://mirror.example/x',
      },
    ]);
    const forOwner = await other.client.call('listTemplates', { templatefilter: 'self', id: community });
    expect(forOwner['template']).toMatchObject([
      {
        downloaddetails: [
          {
            datastore: 'pool-1',
            datastoreId: pool!.id,
            datastoreRole: 'Primary',
            downloadPercent: '37',
            downloadState: 'DOWNLOAD_IN_PROGRESS',
            downloadedbytes: '370',
            bytespersecond: '100',
            source: 'https://mirror.example/x',
          },
        ],
      },
    ]);
    const onPool = (client: TestUser['client'], storageid: string) =>
      client.call('listTemplates', { templatefilter: 'all', listall: true, storageid });
    expect(await onPool(gateway.admin, pool!.id)).toMatchObject({ count: 1, template: [{ id: community }] });
    expect(await onPool(gateway.admin, randomUUID())).toEqual({});
    await expect(onPool(other.client, pool!.id)).rejects.toMatchObject({ errorcode: 531 });
    const forOthers = await somebody.client.call('listTemplates', { templatefilter: 'community' });
    const [seen] = forOthers['template'] as Template[];
    expect(seen).toMatchObject({ id: community, isready: true });
    for (const key of ['downloaddetails', 'status', 'url']) expect(seen).not.toHaveProperty(key);
  });
});
