import { eq, sql } from 'drizzle-orm';
import { createNetwork } from '../../db/networks.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import { markExpunged } from '../../db/mark-expunged.js';
import {
  account,
  event,
  networks,
  resourceTags,
  serviceOffering,
  user,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

type Row = Record<string, unknown>;
type Parameters = Record<string, string | boolean>;

let gateway: TestGateway;
let owner: TestUser;
let ids: Record<'UserVm' | 'Template' | 'ISO' | 'Volume' | 'Network' | 'Account' | 'User', string>;
let publicNetworkId: string;
let otherVmId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  owner = await gateway.addUser('owner');
  const [offering] = await gateway.db.select().from(serviceOffering).limit(1);
  const templateId = await addTemplate(gateway, owner);
  const vm = {
    accountId: owner.accountId,
    zoneId: gateway.seeded.zoneId,
    templateId,
    serviceOfferingId: offering!.id,
  };
  const { id: vmId } = await createVirtualMachine(gateway.db, { ...vm, name: 'web' });
  ({ id: otherVmId } = await createVirtualMachine(gateway.db, { ...vm, name: 'other' }));
  const [volume] = await gateway.db.select().from(volumes).where(eq(volumes.instanceId, vmId));
  const isoId = await addTemplate(gateway, owner, { format: 'ISO' });
  const network = (name: string, accountId: string | null) =>
    createNetwork(gateway.db, admin, {
      name,
      displayText: name,
      zoneId: gateway.seeded.zoneId,
      accountId,
      vlan: null,
      mayOverlap: true,
    });
  const admin = (await findDefaultAdmin(gateway.db))!;
  const [member] = await gateway.db.select().from(user).where(eq(user.accountId, owner.accountId));
  publicNetworkId = await network('for everybody', null);
  ids = {
    UserVm: vmId,
    Template: templateId,
    ISO: isoId,
    Volume: volume!.id,
    Network: await network('own', owner.accountId),
    Account: owner.accountId,
    User: member!.id,
  };
});
afterEach(() => gateway.db.delete(resourceTags));
afterAll(() => gateway.stop());

const tagsOf = (tags: Record<string, string>): Parameters =>
  Object.fromEntries(
    Object.entries(tags).flatMap(([key, value], index) => [
      [`tags[${index}].key`, key],
      [`tags[${index}].value`, value],
    ]),
  );
const create = (resourcetype: string, resourceids: string, tags: Record<string, string>) =>
  owner.client.call('createTags', { resourcetype, resourceids, ...tagsOf(tags) });
const listed = async (filter: Parameters = {}): Promise<Row[]> =>
  ((await owner.client.call('listTags', filter))['tag'] ?? []) as Row[];

const LISTS = {
  UserVm: ['listVirtualMachines', 'virtualmachine', {}],
  Template: ['listTemplates', 'template', { templatefilter: 'self' }],
  ISO: ['listIsos', 'iso', {}],
  Volume: ['listVolumes', 'volume', {}],
  Network: ['listNetworks', 'network', {}],
} as const;

describe.each(Object.keys(LISTS) as (keyof typeof LISTS)[])('tags of a %s', (type) => {
  const [command, objectName, filter] = LISTS[type];
  const found = async (more: Parameters): Promise<Row[]> =>
    ((await owner.client.call(command, { ...filter, ...more }))[objectName] ?? []) as Row[];

  it('are in its list, find it, and go', async () => {
    const { jobid } = (await create(type, ids[type], { colour: 'red', size: 'größer' })) as { jobid: string };
    expect(await owner.client.call('queryAsyncJobResult', { jobid })).toMatchObject({
      jobstatus: 1,
      jobresult: { success: true },
      cmd: 'org.apache.cloudstack.api.command.user.tag.CreateTagsCmd',
    });
    const tag = {
      key: 'colour',
      value: 'red',
      resourcetype: type,
      resourceid: ids[type],
      account: 'owner',
      domainid: expect.any(String) as string,
      domain: 'ROOT',
      domainpath: 'ROOT',
    };
    const [shown] = await found({ id: ids[type] });
    expect(shown!['tags']).toEqual([tag, { ...tag, key: 'size', value: 'größer' }]);
    expect(await listed({ resourcetype: type, key: 'colour' })).toEqual([tag]);

    expect(await found(tagsOf({ colour: 'red' }))).toMatchObject([{ id: ids[type] }]);
    expect(await found(tagsOf({ colour: 'blue', size: 'größer' }))).toMatchObject([{ id: ids[type] }]);
    expect(await found(tagsOf({ colour: 'größer' }))).toEqual([]);

    const remove = { resourcetype: type, resourceids: ids[type] };
    await owner.client.call('deleteTags', { ...remove, 'tags[0].key': 'size', 'tags[0].value': 'größer' });
    expect(await listed({ resourceid: ids[type] })).toEqual([tag]);
    await owner.client.call('deleteTags', remove);
    expect(await listed()).toEqual([]);
    await expect(owner.client.call('deleteTags', remove)).rejects.toMatchObject({ errorcode: 431 });
  });
});

test.each(['Account', 'User'] as const)('tags of an %s are listed, and go', async (type) => {
  await create(type, ids[type], { colour: 'red' });
  const tag = { key: 'colour', value: 'red', resourcetype: type, resourceid: ids[type], account: 'owner' };
  expect(await listed({ resourcetype: type })).toMatchObject([tag]);
  expect(await listed({ resourceid: ids[type] })).toMatchObject([tag]);
  await owner.client.call('deleteTags', { resourcetype: type, resourceids: ids[type] });
  expect(await listed()).toEqual([]);
});

test('what belongs to somebody else, or to everybody, is tagged by root admins alone', async () => {
  const other = await gateway.addUser('stranger');
  const give = ({ client }: Pick<TestUser, 'client'>, resourcetype: string, resourceids: string) =>
    client.call('createTags', { resourcetype, resourceids, ...tagsOf({ a: '1' }) });
  const things: [string, string][] = [...Object.entries(ids), ['Network', publicNetworkId]];
  for (const [type, id] of things) {
    await expect(give(other, type, id)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(`Unable to find ${type} by id ${id}`) as string,
    });
    await give({ client: gateway.admin }, type, id);
  }
  const { network } = await other.client.call('listNetworks', { id: publicNetworkId });
  const everybodys = { key: 'a', value: '1', resourcetype: 'Network', resourceid: publicNetworkId };
  expect((network as Row[])[0]!['tags']).toEqual([everybodys]);
  expect(await gateway.admin.call('listTags', { resourceid: publicNetworkId })).toEqual({
    count: 1,
    tag: [everybodys],
  });
  expect(await other.client.call('listTags', { resourceid: publicNetworkId })).toEqual({});
});

test('who follows changes is told of a machine with other tags', async () => {
  const changed = async (): Promise<string> => {
    const rows = await gateway.db.execute<{ changed: string }>(
      sql`select changed::text as changed from vm_instance where id = ${ids.UserVm}`,
    );
    return rows[0]!.changed;
  };
  const first = await changed();
  await create('UserVm', ids.UserVm, { a: '1' });
  const second = await changed();
  await owner.client.call('deleteTags', { resourcetype: 'UserVm', resourceids: ids.UserVm });
  expect(new Set([first, second, await changed()]).size).toBe(3);
});

test('several things get several tags at once, and who did it is kept', async () => {
  await create('UserVm', `${ids.UserVm},${otherVmId},${ids.UserVm}`, { a: '1', b: '2' });
  expect(await listed({ resourcetype: 'uservm' })).toHaveLength(4);
  const events = await gateway.db.select().from(event).where(eq(event.resourceId, otherVmId));
  expect(events).toMatchObject([
    { type: 'CREATE_TAGS', description: 'UserVm was given the tags a, b', accountId: owner.accountId },
  ]);
});

test('a call that is repeated with its job id does nothing more', async () => {
  const call = {
    resourcetype: 'UserVm',
    resourceids: ids.UserVm,
    customjobid: crypto.randomUUID(),
    ...tagsOf({ a: '1' }),
  };
  const jobs = [await owner.client.call('createTags', call), await owner.client.call('createTags', call)];
  expect(jobs).toEqual([{ jobid: call.customjobid }, { jobid: call.customjobid }]);
  expect(await listed()).toHaveLength(1);
});

const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, number) => [`k${number}`, 'v']));

test.each<[string, () => Promise<unknown>, number, string]>([
  ['a key that is there', () => create('UserVm', ids.UserVm, { there: '2' }), 530, 'already on a UserVm: there'],
  ['more tags than a thing may have', () => create('UserVm', ids.UserVm, many(50)), 535, 'may have 50 tags'],
  [
    'a tag without a value',
    () => create('UserVm', ids.UserVm, { a: '' }),
    431,
    'Value for the key a is either null or empty',
  ],
  ['an endless value', () => create('UserVm', ids.UserVm, { a: 'x'.repeat(256) }), 431, 'max allowed length 255'],
  ['a template that is an ISO', () => create('Template', ids.ISO, { a: '1' }), 431, 'Unable to find Template by id'],
  ['what cannot have any', () => create('Zone', ids.UserVm, { a: '1' }), 431, 'invalid value Zone'],
  [
    'a tag that is no entry of a map, where none is all',
    () => owner.client.call('deleteTags', { resourcetype: 'UserVm', resourceids: ids.UserVm, tags: 'there' }),
    431,
    'Parameter tags is no entry of a map',
  ],
  ['no tags', () => create('UserVm', ids.UserVm, {}), 431, 'due to missing parameter tags'],
  ['nothing', () => create('UserVm', ',', { a: '1' }), 431, 'resourceids names nothing'],
])('%s is refused, and nothing is written', async (_what, call, errorcode, text) => {
  await create('UserVm', ids.UserVm, { there: '1' });
  await expect(call()).rejects.toMatchObject({ errorcode, errortext: expect.stringContaining(text) as string });
  expect(await listed()).toMatchObject([{ key: 'there', value: '1' }]);
});

test('tags are gone with what they were on', async () => {
  for (const type of ['UserVm', 'Volume', 'ISO', 'Network', 'Account', 'User'] as const)
    await create(type, ids[type], { a: '1' });
  await gateway.db.update(vmInstance).set({ state: 'Expunging' }).where(eq(vmInstance.id, ids.UserVm));
  await gateway.db.transaction((tx) => markExpunged(tx, ids.UserVm, 'Expunging'));
  const removed = { removed: new Date().toISOString() };
  await gateway.db.update(vmTemplate).set(removed).where(eq(vmTemplate.id, ids.ISO));
  await gateway.db.update(networks).set(removed).where(eq(networks.id, ids.Network));
  await gateway.db.update(user).set(removed).where(eq(user.id, ids.User));
  await gateway.db.update(account).set(removed).where(eq(account.id, ids.Account));
  expect(await gateway.db.select().from(resourceTags)).toEqual([]);
  for (const [table, id] of [
    [user, ids.User],
    [account, ids.Account],
  ] as const) {
    await gateway.db.update(table).set({ removed: null }).where(eq(table.id, id));
  }
});

test('tags of a root disk go to the one that takes its place, and back', async () => {
  const [old] = await gateway.db.select().from(volumes).where(eq(volumes.instanceId, otherVmId));
  const removed = new Date().toISOString();
  const id = crypto.randomUUID();
  await gateway.db.insert(volumes).values({ ...old!, id, removed });
  const swap = async (from: string, to: string): Promise<void> => {
    await gateway.db.update(volumes).set({ removed, replacedById: to }).where(eq(volumes.id, from));
    await gateway.db.update(volumes).set({ removed: null, replacedById: null }).where(eq(volumes.id, to));
  };
  await create('Volume', old!.id, { a: '1' });
  await swap(old!.id, id);
  expect(await listed()).toMatchObject([{ resourceid: id, key: 'a' }]);
  await swap(id, old!.id);
  expect(await listed()).toMatchObject([{ resourceid: old!.id, key: 'a' }]);
});
