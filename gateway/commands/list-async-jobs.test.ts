import { completeJob } from '../../db/jobs.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

let gateway: TestGateway;
let somebody: TestUser;
let other: TestUser;
let deployed: { id: string; jobid: string };
let failed: { id: string; jobid: string };

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  other = await gateway.addUser('other');
  const { serviceoffering } = (await gateway.admin.call('listServiceOfferings')) as {
    serviceoffering: { id: string }[];
  };
  const templateid = await addTemplate(gateway, somebody);
  const deploy = (name: string) =>
    somebody.client.call('deployVirtualMachine', {
      zoneid: gateway.seeded.zoneId,
      serviceofferingid: serviceoffering[0]!.id,
      templateid,
      name,
    }) as Promise<{ id: string; jobid: string }>;
  deployed = await deploy('first');
  failed = await deploy('second');
  await completeJob(gateway.db, deployed.jobid, { status: 'succeeded', resultCode: 0, result: {} });
  const result = { errorcode: 533, errortext: 'No host has room', ownertext: 'No host has room' };
  await completeJob(gateway.db, failed.jobid, { status: 'failed', resultCode: 533, result });
});
afterAll(() => gateway.stop());

const jobs = async (parameters = {}, { client }: Pick<TestUser, 'client'> = somebody) =>
  ((await client.call('listAsyncJobs', parameters))['asyncjobs'] ?? []) as Record<string, unknown>[];

test('lists the caller’s jobs, the latest first, each as queryAsyncJobResult shows it', async () => {
  const listed = await jobs();
  expect(listed.map(({ jobid }) => jobid)).toEqual([failed.jobid, deployed.jobid]);
  expect(listed[0]).toMatchObject({
    jobstatus: 2,
    jobresultcode: 533,
    jobresult: { errorcode: 533, errortext: 'No host has room' },
    account: 'somebody',
    domainpath: 'ROOT',
  });
  expect(listed[1]).toMatchObject({ jobresult: { virtualmachine: { id: deployed.id } } });
  for (const job of listed) {
    expect(job).toEqual(await somebody.client.call('queryAsyncJobResult', { jobid: job['jobid'] as string }));
  }
});

test('shows nobody the jobs of another; an administrator sees all with listall', async () => {
  expect(await jobs({ listall: 'true' }, other)).toEqual([]);
  expect(await jobs({}, { client: gateway.admin })).toEqual([]);
  expect(await jobs({ listall: 'true' }, { client: gateway.admin })).toHaveLength(2);
  expect(await jobs({ listall: 'true', keyword: 'destroy' }, { client: gateway.admin })).toEqual([]);
});

test.each([
  ['before', '2020-01-01', 2],
  ['after', '2199-01-01', 0],
])('lists those that began not before startdate: %s', async (_what, startdate, count) => {
  expect(await jobs({ startdate })).toHaveLength(count);
});
