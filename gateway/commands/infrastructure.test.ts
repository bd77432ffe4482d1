import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { joinHost } from '../../db/join-host.js';
import { dataCenter, host, storagePool } from '../../db/schema/index.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { COMMANDS } from './index.js';

const NOWHERE = '11111111-1111-4111-8111-111111111111';

let gateway: TestGateway;
let somebody: TestUser;
let hostId: string;
let poolId: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  for (const name of ['host-2', 'host-1']) {
    poolId = randomUUID();
    ({ hostId } = await joinHost(gateway.databaseUrl, {
      name,
      clusterId: gateway.seeded.clusterId,
      publicKey: 'a2V5',
      pools: [{ poolId, type: 'Filesystem', path: `/pools/${name}` }],
    }));
  }
  await gateway.db
    .update(host)
    .set({
      status: 'Up',
      cpus: 4,
      speedMhz: 2000,
      ramBytes: 8 * 1024 ** 3,
      cpuUsedMhz: 1000,
      ramUsedBytes: 1024 ** 3,
      lastPinged: '2025-11-26T12:00:00Z',
    })
    .where(eq(host.id, hostId));
  await gateway.db
    .update(storagePool)
    .set({ capacityBytes: 100, usedBytes: 30, allocatedBytes: 40, templateBytes: 10 })
    .where(eq(storagePool.id, poolId));
});
afterAll(() => gateway.stop());

test('lists hosts with what they hold', async () => {
  expect(await gateway.admin.call('listHosts', { state: 'up' })).toEqual({
    count: 1,
    host: [
      expect.objectContaining({
        id: hostId,
        name: 'host-1',
        state: 'Up',
        type: 'Routing',
        zonename: 'zone-1',
        podname: 'pod-1',
        clustername: 'cluster-1',
        hypervisor: 'KVM',
        cpunumber: 4,
        cpuspeed: 2000,
        cpuallocated: '12.50%',
        memorytotal: 8589934592,
        memoryallocatedbytes: 1073741824,
        lastpinged: '2025-11-26T12:00:00+0000',
        resourcestate: 'Enabled',
      }),
    ],
  });
  expect(await gateway.admin.call('listHosts', { name: 'host-2' })).toMatchObject({
    host: [{ state: 'Connecting', cpuallocated: '0.00%' }],
  });
});

test('lists pools, also those of one host', async () => {
  expect(await gateway.admin.call('listStoragePools', { hostid: hostId })).toEqual({
    count: 1,
    storagepool: [
      expect.objectContaining({
        id: poolId,
        name: 'host-1-pool',
        scope: 'HOST',
        type: 'Filesystem',
        state: 'Up',
        disksizetotal: 100,
        disksizeused: 30,
        disksizeallocated: 50,
      }),
    ],
  });
});

test('lists zones: disabled ones to root admins only', async () => {
  await gateway.db.insert(dataCenter).values({ name: 'zone-2', allocationState: 'Disabled' });
  expect(await gateway.admin.call('listZones')).toMatchObject({
    count: 2,
    zone: [{ name: 'zone-1' }, { name: 'zone-2', allocationstate: 'Disabled' }],
  });
  expect(await somebody.client.call('listZones')).toMatchObject({ count: 1, zone: [{ name: 'zone-1' }] });
});

test.each([
  [{ pagesize: 0 }, 'The page size must be at least 1'],
  [{ pagesize: 501 }, "Page size can't exceed max allowed page size value: 500"],
  [{ id: NOWHERE, ids: NOWHERE }, 'Specify either id or ids but not both parameters'],
])('refuses to list with %j', async (parameters, errortext) => {
  await expect(gateway.admin.call('listZones', parameters)).rejects.toMatchObject({ errorcode: 431, errortext });
});

test('lists OS types and service offerings', async () => {
  expect(await somebody.client.call('listOsTypes', { keyword: 'UBUNTU 24' })).toMatchObject({
    count: 1,
    ostype: [{ description: 'Ubuntu 24.04 LTS', oscategoryname: 'Ubuntu' }],
  });
  expect(await somebody.client.call('listServiceOfferings', { memory: 1024 })).toMatchObject({
    count: 1,
    serviceoffering: [
      {
        name: 'Medium Instance',
        cpunumber: 1,
        cpuspeed: 1000,
        memory: 1024,
        storagetype: 'shared',
        provisioningtype: 'thin',
      },
    ],
  });
});

test.each([
  ['listHosts', 'name', 'host-1'],
  ['listHosts', 'name', 'HOST-1'],
  ['listHosts', 'keyword', 'ost-1'],
  ['listStoragePools', 'name', 'host-1-pool'],
  ['listStoragePools', 'keyword', 'ost-1'],
  ['listZones', 'name', 'zone-1'],
  ['listServiceOfferings', 'name', 'Small Instance'],
  ['listServiceOfferings', 'cpuspeed', 500],
  ['listOsTypes', 'description', 'windows'],
])('%s filters by %s %s', async (command, parameter, value) => {
  expect(await gateway.admin.call(command, { [parameter]: value })).toHaveProperty('count', 1);
});

test('a word is compared without regard to case, and stands for itself', async () => {
  expect(await gateway.admin.call('listHosts', { type: 'routing' })).toHaveProperty('count', 2);
  expect(await gateway.admin.call('listHosts', { type: 'Storage' })).toEqual({});
  expect(await gateway.admin.call('listHosts', { name: 'host__' })).toEqual({});
  expect(await gateway.admin.call('listHosts', { name: 'host-%' })).toEqual({});
});

test.each(['listHosts', 'listStoragePools', 'listZones', 'listServiceOfferings', 'listOsTypes'])(
  '%s pages, answers an empty object when nothing matches, and has declared keys only',
  async (name) => {
    const { response } = COMMANDS.find((command) => command.name === name)!;
    const all = await gateway.admin.call(name);
    const items = all[response.objectName] as Record<string, unknown>[];
    expect(items.length).toBe(all['count']);
    expect(await gateway.admin.call(name, { page: 2, pagesize: 1 })).toEqual({
      count: all['count'],
      [response.objectName]: [items[1]],
    });
    // CloudStack counts what matches, also where no entry is left to show.
    expect(await gateway.admin.call(name, { page: 99, pagesize: 5 })).toEqual({ count: all['count'] });
    expect(await gateway.admin.call(name, { id: NOWHERE })).toEqual({});
    for (const item of items) {
      expect(Object.keys(response.fields)).toEqual(expect.arrayContaining(Object.keys(item)));
    }
  },
);
