import { eq } from 'drizzle-orm';
import { joinHost } from '../../db/join-host.js';
import { serviceOffering, volumes } from '../../db/schema/index.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

const POOL = '5f3a1c86-9d7e-4f0a-8d55-0a8f1c2b3d4e';

let gateway: TestGateway;
let somebody: TestUser;
let templateId: string;
let offeringId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  templateId = await addTemplate(gateway, somebody, { name: 'debian', sizeBytes: 2 * 1024 ** 3 });
  offeringId = (await gateway.db.select().from(serviceOffering).limit(1))[0]!.id;
  await joinHost(gateway.databaseUrl, {
    name: 'host-1',
    clusterId: gateway.seeded.clusterId,
    publicKey: 'key',
    pools: [{ poolId: POOL, type: 'Filesystem', path: '/pool' }],
  });
});
afterAll(() => gateway.stop());

const deploy = async (more: Record<string, string> = {}): Promise<string> => {
  const { zoneId: zoneid } = gateway.seeded;
  const call = { zoneid, serviceofferingid: offeringId, templateid: templateId, ...more };
  return (await somebody.client.call('deployVirtualMachine', call))['id'] as string;
};

const list = async (parameters: Record<string, string | number>, client = somebody.client) =>
  ((await client.call('listVolumes', parameters))['volume'] ?? []) as Record<string, unknown>[];

test('shows the root disk of a machine as clients look it up, and to root admins where it is', async () => {
  const virtualmachineid = await deploy({ name: 'web-1', rootdisksize: '3' });
  const [own, ...others] = await list({ virtualmachineid, type: 'ROOT' });
  expect(others).toEqual([]);
  expect(own).toMatchObject({
    name: `ROOT-${virtualmachineid}`,
    type: 'ROOT',
    deviceid: 0,
    size: 3 * 1024 ** 3,
    state: 'Allocated',
    virtualmachineid,
    vmname: 'web-1',
    vmstate: 'Starting',
    zoneid: gateway.seeded.zoneId,
    account: 'somebody',
    templateid: templateId,
    templatename: 'debian',
    serviceofferingid: offeringId,
    destroyed: false,
  });
  await gateway.db
    .update(volumes)
    .set({ state: 'Ready', poolId: POOL, path: 'disk.1', sizeBytes: 4 * 1024 ** 3 })
    .where(eq(volumes.instanceId, virtualmachineid));
  const [ready] = await list({ virtualmachineid });
  expect(ready).toMatchObject({ state: 'Ready', size: 4 * 1024 ** 3 });
  for (const key of ['storage', 'storageid', 'path']) expect(ready).not.toHaveProperty(key);
  const [shown] = await list({ id: ready!['id'] as string, storageid: POOL }, gateway.admin);
  expect(shown).toMatchObject({ storageid: POOL, storage: 'host-1-pool', path: 'disk.1' });
  await expect(list({ storageid: POOL })).rejects.toMatchObject({ errorcode: 531 });
});

test('filters, pages, and leaves out what is gone or is no machine’s disk', async () => {
  const ids = [await deploy(), await deploy(), await deploy()];
  const names = async (parameters: Record<string, string | number>) =>
    (await list(parameters)).map(({ virtualmachineid }) => virtualmachineid);
  expect(await names({ state: 'allocated' })).toEqual(ids);
  expect(await names({ state: 'allocated', page: 2, pagesize: 2 })).toEqual([ids[2]]);
  expect(await names({ type: 'DATADISK' })).toEqual([]);
  expect(await names({ keyword: ids[1]! })).toEqual([ids[1]]);
  // Clients take the only one that is listed for the one of that name.
  expect(await names({ name: `root-${ids[1]!}` })).toEqual([ids[1]]);
  expect(await names({ name: ids[1]! })).toEqual([]);
  expect(await names({ serviceofferingid: offeringId, state: 'Allocated' })).toEqual(ids);
  expect(await names({ zoneid: templateId })).toEqual([]);
  const now = new Date().toISOString();
  await gateway.db.update(volumes).set({ state: 'Expunged' }).where(eq(volumes.instanceId, ids[0]!));
  await gateway.db.update(volumes).set({ removed: now }).where(eq(volumes.instanceId, ids[1]!));
  expect(await names({ state: 'Allocated' })).toEqual([ids[2]]);
});
