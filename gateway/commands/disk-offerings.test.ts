import { seed } from '../../db/seed.js';
import { TEST_SECRET_KEY } from '../../tests/support/test-database.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

let gateway: TestGateway;
let somebody: TestUser;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
});
afterAll(() => gateway.stop());

type Row = Record<string, unknown>;

const list = async (filter = {}): Promise<Row[]> => {
  const { diskoffering = [] } = await somebody.client.call('listDiskOfferings', filter);
  return diskoffering as Row[];
};

const create = async (parameters: Record<string, string | number | boolean>): Promise<Row> => {
  const { diskoffering } = await gateway.admin.call('createDiskOffering', { name: 'made', ...parameters });
  return diskoffering as Row;
};

test('CloudStack’s stock offerings are there from the start', async () => {
  expect(await list()).toMatchObject([
    { name: 'Small', displaytext: 'Small Disk, 5 GB', disksize: 5, iscustomized: false, state: 'Active' },
    { name: 'Medium', disksize: 20 },
    { name: 'Large', disksize: 100 },
    { name: 'Custom', disksize: 0, iscustomized: true },
  ]);
});

test('an offering is made, listed and deleted by a root admin', async () => {
  const made = await create({ name: 'fast', displaytext: 'Fast disk', disksize: 8, tags: 'ssd, nvme,ssd' });
  expect(made).toMatchObject({ name: 'fast', displaytext: 'Fast disk', disksize: 8, tags: 'ssd,nvme' });
  expect(await list({ id: made['id'] })).toEqual([made]);
  await expect(create({ name: 'fast', disksize: 9 })).rejects.toMatchObject({ errorcode: 431 });
  const change = (changes: Record<string, string>) =>
    gateway.admin.call('updateDiskOffering', { id: made['id'] as string, ...changes });
  expect(await change({ displaytext: 'Faster disk', tags: 'nvme' })).toMatchObject({
    diskoffering: { ...made, displaytext: 'Faster disk', tags: 'nvme' },
  });
  await expect(change({ name: 'Small' })).rejects.toMatchObject({ errorcode: 431 });
  const remove = () => gateway.admin.call('deleteDiskOffering', { id: made['id'] as string });
  expect(await remove()).toEqual({ success: true });
  expect(await list({ id: made['id'] })).toEqual([]);
  await expect(remove()).rejects.toMatchObject({ errorcode: 431 });
  await expect(create({ name: 'fast', disksize: 9 })).resolves.toMatchObject({ disksize: 9 });
});

test.each([
  ['neither size nor customized', {}, 'Disksize is required for a non-customized disk offering'],
  ['both size and customized', { disksize: 1, customized: true }, 'Disksize is not allowed'],
  ['no size at all', { disksize: 0 }, 'invalid value 0 for parameter disksize'],
  ['more than any volume', { disksize: 2001 }, 'invalid value 2001 for parameter disksize'],
  ['limits on I/O', { disksize: 1, maxiops: 100 }, 'does not support parameter maxiops yet'],
])('%s is refused', async (_what, parameters, text) => {
  await expect(create(parameters)).rejects.toMatchObject({
    errorcode: 431,
    errortext: expect.stringContaining(text),
  });
});

test('others than root admins make and delete none', async () => {
  for (const command of ['createDiskOffering', 'updateDiskOffering', 'deleteDiskOffering']) {
    await expect(somebody.client.call(command, { name: 'mine' })).rejects.toMatchObject({ errorcode: 432 });
  }
});

test('a stock offering that was deleted does not come back with the next start', async () => {
  const [small] = await list({ name: 'Small' });
  await gateway.admin.call('deleteDiskOffering', { id: small!['id'] as string });
  await seed(gateway.databaseUrl, { secretKeyBase64: TEST_SECRET_KEY });
  expect(await list({ name: 'Small' })).toEqual([]);
});
