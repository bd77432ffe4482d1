import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { findCommand } from './index.js';

let gateway: TestGateway;
let somebody: TestUser;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
});
afterAll(() => gateway.stop());

test.each([
  ['createTemplate', 'no secondary storage'],
  ['EXTRACTTEMPLATE', 'no secondary storage'],
  ['attachVolume', 'no data disks'],
  ['createSnapshot', 'no snapshots'],
  ['migrateVirtualMachine', 'moves no virtual machine'],
  ['associateIpAddress', 'no addresses'],
  ['addNicToVirtualMachine', 'keeps the interfaces'],
  ['resetPasswordForVirtualMachine', 'no passwords'],
  ['createAffinityGroup', 'no groups'],
  ['createProject', 'no projects'],
  ['createNetworkOffering', 'listNetworkOfferings'],
  ['addKubernetesSupportedVersion', 'no Kubernetes'],
  ['addHost', 'createHostJoinToken'],
  ['assignVirtualMachine', 'stays its own'],
])('%s is answered 432, and why', async (name, why) => {
  expect(findCommand(name)).toBeUndefined();
  await expect(somebody.client.call(name)).rejects.toMatchObject({
    errorcode: 432,
    errortext: expect.stringMatching(new RegExp(`^The given command does not exist .*${why}`)) as string,
  });
});

test('what nobody has heard of is answered 432 and no more', async () => {
  await expect(somebody.client.call('makeCoffee')).rejects.toMatchObject({
    errorcode: 432,
    errortext: 'The given command does not exist or it is not available for user',
  });
});

// What libcloud reads with the machines, and what others read on their way.
test.each(['listPublicIpAddresses', 'listPortForwardingRules', 'listIpForwardingRules', 'listProjects', 'listVPCs'])(
  '%s has nothing, which is no error',
  async (name) => {
    expect(await somebody.client.call(name, { listall: 'true', page: 1, pagesize: 100 })).toEqual({});
  },
);
