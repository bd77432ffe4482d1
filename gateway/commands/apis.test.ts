import { startTestGateway, type TestGateway } from '../../tests/support/test-gateway.js';
import type { Command } from './define-command.js';
import { COMMANDS } from './index.js';

interface Api {
  name: string;
  isasync: boolean;
  params: { name: string; type: string; required: boolean; length: number; since?: string; related?: string }[];
  response: { name: string; response?: unknown[] }[];
}

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const apis = async (client = gateway.admin, parameters = {}): Promise<Api[]> =>
  (await client.call('listApis', parameters))['api'] as Api[];

/** As CloudStack has them: of a command that answers with one thing, those of the thing. */
function responseKeys({ response: { objectName, fields } }: Command): string[] {
  const keys = Object.keys(fields);
  return keys.join() === objectName ? Object.keys(fields[objectName]!.fields ?? fields) : keys;
}

test('lists every command with every parameter and response key', async () => {
  const listed = await apis();
  expect(
    listed.map(({ name, params, response }) => [name, params.map((p) => p.name), response.map((r) => r.name)]),
  ).toEqual(COMMANDS.map((command) => [command.name, Object.keys(command.params), responseKeys(command)]));
});

test.each([
  ['updateZone', 'listZones'],
  ['updateTemplate', 'listTemplates'],
  ['createAccount', 'listAccounts'],
  ['createServiceOffering', 'listServiceOfferings'],
])('the response of %s is listed as that of %s', async (one, all) => {
  const [[changed], [listed]] = [await apis(gateway.admin, { name: one }), await apis(gateway.admin, { name: all })];
  expect(changed!.response).toEqual(listed!.response);
});

test('tells what clients need to know of a parameter', async () => {
  const [api] = await apis(gateway.admin, { name: 'deployvirtualmachine' });
  expect(api).toMatchObject({ name: 'deployVirtualMachine', isasync: true });
  expect(api!.params).toContainEqual({
    name: 'zoneid',
    description: 'ID of the zone.',
    type: 'uuid',
    required: true,
    length: 255,
    related: expect.stringMatching(/\blistZones\b/),
  });
  expect(api!.params).toContainEqual(expect.objectContaining({ name: 'rootdisksize', type: 'long', since: '4.4' }));
});

test.each([
  ['deployVirtualMachine', 'templateid', 'listTemplates'],
  ['attachIso', 'virtualmachineid', 'listVirtualMachines'],
  ['queryAsyncJobResult', 'jobid', 'listAsyncJobs'],
  ['deleteTemplate', 'id', 'listTemplates'],
  ['updateStoragePool', 'id', 'listStoragePools'],
])('tells clients that complete names where %s finds its %s', async (name, parameter, lister) => {
  const [api] = await apis(gateway.admin, { name });
  expect(api!.params.find((one) => one.name === parameter)?.related?.split(',')).toContain(lister);
});

test('lists to a user only what a user may call', async () => {
  const { client } = await gateway.addUser('somebody');
  const names = (await apis(client)).map(({ name }) => name);
  expect(names).toContain('deployVirtualMachine');
  expect(names).not.toContain('listHosts');
  await expect(apis(client, { name: 'listHosts' })).rejects.toMatchObject({ errorcode: 431 });
});

test('names are spelt as CloudStack spells them: parameters in lower case, without doubles', () => {
  for (const { name, params } of COMMANDS) {
    expect(name).toMatch(/^[a-z]+([A-Z]+[a-z]+)+$/);
    for (const parameter of Object.keys(params)) expect(parameter).toMatch(/^[a-z0-9]+$/);
  }
});
