import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { recordEvent } from '../../activities/control/record-event.js';
import { createJob } from '../../db/jobs.js';
import { joinHost } from '../../db/join-host.js';
import { account, event, user } from '../../db/schema/index.js';
import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import { eventFields } from '../responses/event.js';

type Row = Record<string, unknown>;

let gateway: TestGateway;
let admin: typeof account.$inferSelect;

beforeAll(async () => {
  gateway = await startTestGateway();
  admin = (await gateway.db.select().from(account).where(eq(account.accountName, 'admin')))[0]!;
});
afterEach(() => gateway.db.delete(event));
afterAll(() => gateway.stop());

const add = async (row: Partial<typeof event.$inferInsert> = {}): Promise<string> => {
  const base = { type: 'VM.START', level: 'INFO' as const, description: 'VM web is running', accountId: admin.id };
  const [added] = await gateway.db
    .insert(event)
    .values({ ...base, ...row })
    .returning();
  return added!.id;
};
const list = async (parameters: Record<string, string> = {}, client = gateway.admin): Promise<string[]> =>
  (((await client.call('listEvents', { listall: 'true', ...parameters }))['event'] ?? []) as Row[]).map((row) =>
    String(row['id']),
  );

describe('listEvents', () => {
  it('tells what a job did, who asked for it, and to what', async () => {
    const [caller] = await gateway.db.select().from(user).where(eq(user.accountId, admin.id));
    const jobId = randomUUID();
    await createJob(gateway.db, {
      id: jobId,
      accountId: admin.id,
      userId: caller!.id,
      jobCmd: 'stopVirtualMachine',
      workflowType: 'stopVirtualMachine',
      workflowId: `vm-${jobId}`,
      workflowInput: {},
      instanceType: 'VirtualMachine',
      instanceId: jobId,
    });
    const { hostId } = await joinHost(gateway.databaseUrl, {
      name: 'host-1',
      clusterId: gateway.seeded.clusterId,
      publicKey: 'key',
      pools: [],
    });
    await recordEvent(gateway.db, {
      type: 'HOST.DOWN',
      level: 'WARN',
      description: 'gone',
      accountId: admin.id,
      jobId,
      resourceType: 'Host',
      resourceId: hostId,
    });
    const answer = await gateway.admin.call('listEvents');
    expect(answer).toEqual({
      count: 1,
      event: [
        {
          id: expect.any(String) as string,
          type: 'HOST.DOWN',
          level: 'WARN',
          description: 'gone',
          state: 'Completed',
          created: expect.stringMatching(/\+0000$/) as string,
          archived: false,
          username: 'admin',
          account: 'admin',
          domainid: admin.domainId,
          domain: 'ROOT',
          domainpath: 'ROOT',
          resourcetype: 'Host',
          resourceid: hostId,
          resourcename: 'host-1',
          jobid: jobId,
          workflowid: `vm-${jobId}`,
        },
      ],
    });
    expect(Object.keys((answer['event'] as Row[])[0]!).toSorted()).toEqual(Object.keys(eventFields).toSorted());
  });

  it('names what an operator made, as it is now', async () => {
    const { zoneId } = gateway.seeded;
    const { networkoffering } = await gateway.admin.call('listNetworkOfferings', { guestiptype: 'L2' });
    const networkofferingid = (networkoffering as Row[])[0]!['id'] as string;
    await gateway.admin.call('createNetwork', { name: 'wire', zoneid: zoneId, networkofferingid });
    await gateway.admin.call('createDiskOffering', { name: 'fast', disksize: 1 });
    await gateway.admin.call('createServiceOffering', { name: 'gpu', cpunumber: 1, cpuspeed: 500, memory: 512 });
    await gateway.admin.call('createSSHKeyPair', { name: 'mine' });
    const events = (await gateway.admin.call('listEvents'))['event'] as Row[];
    expect(events.map(({ type, resourcename }) => [type, resourcename])).toEqual([
      ['REGISTER.SSH.KEYPAIR', 'mine'],
      ['SERVICE.OFFERING.CREATE', 'gpu'],
      ['DISK.OFFERING.CREATE', 'fast'],
      ['NETWORK.CREATE', 'wire'],
    ]);
  });

  it('has the latest first, in pages', async () => {
    const old = await add({ created: '2026-01-01T10:00:00Z' });
    const young = await add({ created: '2026-01-02T10:00:00.5Z' });
    expect(await list()).toEqual([young, old]);
    expect(await list({ page: '2', pagesize: '1' })).toEqual([old]);
  });

  it.each<[Record<string, string>, ('first' | 'second')[]]>([
    [{ type: 'vm.start' }, ['first']],
    [{ level: 'error' }, ['second']],
    [{ keyword: 'DISK' }, ['second']],
    [{ keyword: '%' }, []],
    [{ startdate: '2026-01-02' }, ['second']],
    [{ enddate: '2026-01-01' }, ['first']],
    [{ enddate: '2026-01-02 10:00:00' }, ['second', 'first']],
    [{ startdate: '2026-01-02T12:00:01+02:00' }, []],
    [{ resourcetype: 'StoragePool', resourceid: '0b6e1f5e-3f4a-4c53-9d5c-6a3f0d8f1a01' }, ['second']],
    [{ account: 'ADMIN' }, ['second', 'first']],
    [{ archived: 'true' }, []],
    [{ state: 'completed' }, ['second', 'first']],
    [{ state: 'Started' }, []],
  ])('finds %j', async (parameters, expected) => {
    const first = await add({ created: '2026-01-01T23:59:59.9Z' });
    const second = await add({
      type: 'STORAGE.LOST',
      level: 'ERROR',
      description: 'A disk is gone',
      created: '2026-01-02T10:00:00.5Z',
      resourceType: 'StoragePool',
      resourceId: '0b6e1f5e-3f4a-4c53-9d5c-6a3f0d8f1a01',
    });
    expect(await list(parameters)).toEqual(expected.map((name) => ({ first, second })[name]));
  });

  it.each(['yesterday', '2026-13-01', '2026-02-30', '2026-01-01T25:00:00'])(
    'refuses the date %s',
    async (startdate) => {
      await expect(list({ startdate })).rejects.toMatchObject({ errorcode: 431 });
    },
  );

  it('shows others their own only, and nothing of hosts', async () => {
    const { client } = await gateway.addUser('somebody', 'User');
    const [own] = await gateway.db.select().from(account).where(eq(account.accountName, 'somebody'));
    const mine = await add({ accountId: own!.id, workflowId: 'vm-x' });
    await add();
    await add({ accountId: null });
    expect(await list({}, client)).toEqual([mine]);
    expect(await list()).toHaveLength(3);
    expect(await list({ listall: 'false' })).toHaveLength(1);
    const [row] = (await client.call('listEvents'))['event'] as Row[];
    expect(row).not.toHaveProperty('workflowid');
  });
});

describe('archiveEvents and deleteEvents', () => {
  it.each(['archiveEvents', 'deleteEvents'])('%s takes what was chosen, and nothing of others', async (command) => {
    const { client } = await gateway.addUser(command, 'User');
    const [own] = await gateway.db.select().from(account).where(eq(account.accountName, command));
    const mine = [await add({ accountId: own!.id }), await add({ accountId: own!.id, type: 'VM.STOP' })];
    const other = await add({ type: 'VM.STOP' });
    await expect(client.call(command, { ids: `${mine[0]},${other}` })).rejects.toMatchObject({ errorcode: 431 });
    expect(await list()).toHaveLength(3);
    expect(await client.call(command, { type: 'VM.STOP' })).toEqual({ success: true });
    expect(new Set(await list())).toEqual(new Set([mine[0], other]));
    expect(await list({ archived: 'true' })).toEqual(command === 'archiveEvents' ? [mine[1]] : []);
    await gateway.admin.call(command, { ids: mine[0]! });
    await gateway.admin.call(command, { startdate: '2020-01-01', enddate: '2099-01-01' });
    expect(await list()).toEqual([]);
  });

  it.each([{}, { startdate: '2026-01-01' }])('refuses to choose by %j', async (parameters) => {
    await add();
    await expect(gateway.admin.call('deleteEvents', parameters)).rejects.toMatchObject({ errorcode: 431 });
    expect(await list()).toHaveLength(1);
  });
});
