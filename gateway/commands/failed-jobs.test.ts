import { recordDeploymentFailed } from '../../activities/control/virtual-machine/deployment.js';
import { serviceOffering } from '../../db/schema/index.js';
import { SlipwayError } from '../../shared/errors.js';
import type { Failure } from '../../shared/failures.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';

/** As a deployment ends that no host could do. */
const FAILURE: Failure = {
  code: 'SLIPWAY_NO_HOST_LEFT',
  message: 'Tried:\nkvm-7: pool fast-ssd is full\nkvm-8: http://10.1.2.3/disk.qcow2: 404 Not Found',
  causes: ['SLIPWAY_POOL_FULL', 'SLIPWAY_SOURCES_EXHAUSTED', 'SLIPWAY_SOURCE_HTTP_4XX'],
};
const FOR_THE_OWNER =
  'No host could do it. There is not enough space on primary storage. The image could not be downloaded. ' +
  'The server of the image refuses the request (4xx)';
const INTERNALS = /kvm-|fast-ssd|10\.1\.2\.3/;

let gateway: TestGateway;
let somebody: TestUser;
let boss: TestUser;
let id: string;
let jobid: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  boss = await gateway.addUser('boss', 'DomainAdmin');
  const [offering] = await gateway.db.select().from(serviceOffering).limit(1);
  const answer = await somebody.client.call('deployVirtualMachine', {
    zoneid: gateway.seeded.zoneId,
    serviceofferingid: offering!.id,
    templateid: await addTemplate(gateway, somebody),
  });
  ({ id, jobid } = answer as { id: string; jobid: string });
  const { db, secretBox } = gateway;
  // It works on the database alone.
  const record = recordDeploymentFailed({ db, secretBox, client: undefined as never });
  await record({ vmId: id, jobId: jobid, failure: FAILURE, isCancelled: false });
});
afterAll(() => gateway.stop());

/** Everywhere that the failure is told of. */
const READS: [string, () => [string, Record<string, string>], (answer: Record<string, unknown>) => unknown][] = [
  ['queryAsyncJobResult', () => ['queryAsyncJobResult', { jobid }], (job) => job['jobresult']],
  [
    'listAsyncJobs',
    () => ['listAsyncJobs', { listall: 'true' }],
    ({ asyncjobs }) => (asyncjobs as Record<string, unknown>[])[0]!['jobresult'],
  ],
  [
    'listVirtualMachines',
    () => ['listVirtualMachines', { id }],
    ({ virtualmachine }) => (virtualmachine as unknown[])[0],
  ],
];

describe.each(READS)('%s', (_name, call, pick) => {
  test('tells the owner, and a domain admin, why in words that name nothing of the cloud', async () => {
    for (const { client } of [somebody, boss]) {
      const answer = await client.call(...call());
      expect(pick(answer)).toMatchObject({ errortext: FOR_THE_OWNER });
      expect(JSON.stringify(answer)).not.toMatch(INTERNALS);
    }
  });

  test('tells a root admin everything', async () => {
    expect(pick(await gateway.admin.call(...call()))).toMatchObject({ errortext: FAILURE.message });
  });
});

test('listEvents tells both alike, and finds by what is shown only', async () => {
  const events = async (client: TestUser['client'], keyword: string) => {
    const { event = [] } = await client.call('listEvents', { listall: 'true', resourceid: id, keyword });
    return (event as { description: string }[]).map(({ description }) => description);
  };
  expect(await events(somebody.client, 'ERROR')).toEqual([FOR_THE_OWNER]);
  expect(await events(gateway.admin, 'ERROR')).toEqual([FAILURE.message]);
  expect(await events(somebody.client, 'kvm-7')).toEqual([]);
  expect(await events(gateway.admin, 'kvm-7')).toHaveLength(1);
});

test('a call that fails at once is answered alike', async () => {
  gateway.onExecute = () =>
    Promise.reject(
      new SlipwayError('SLIPWAY_URL_VALIDATION', FAILURE.message, { details: { causes: FAILURE.causes } }),
    );
  const [os] = ((await gateway.admin.call('listOsTypes', {})) as { ostype: { id: string }[] }).ostype;
  const register = (client: TestUser['client']) =>
    client.call('registerIso', {
      name: 'unread',
      url: 'http://images.example/x.iso',
      zoneid: gateway.seeded.zoneId,
      ostypeid: os!.id,
      directdownload: 'true',
    });
  const text = FOR_THE_OWNER.replace('No host could do it', 'No host could read the URL');
  await expect(register(somebody.client)).rejects.toMatchObject({ errorcode: 530, errortext: text });
  await expect(register(gateway.admin)).rejects.toMatchObject({ errorcode: 530, errortext: FAILURE.message });
  const { event } = await somebody.client.call('listEvents', { type: 'ISO.CREATE' });
  expect(event).toMatchObject([{ description: `unread could not be registered: ${text}` }]);
});
