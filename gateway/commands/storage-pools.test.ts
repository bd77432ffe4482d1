import { and, eq } from 'drizzle-orm';
import { announcePool } from '../../db/announce-pool.js';
import { joinHost } from '../../db/join-host.js';
import { completeJob } from '../../db/jobs.js';
import {
  capacityClaim,
  cleanupDebt,
  event,
  host,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  vmInstance,
  volumes,
} from '../../db/schema/index.js';
import type { PoolType } from '../../shared/hosts.js';
import { poolStateWorkflowId } from '../../shared/workflow-ids.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { addZone } from '../../tests/support/add-zone.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { parseStoragePoolUrl } from './storage-pool-url.js';

/** Primary storage pools: made, reached by hosts, brought into maintenance and deleted. */

type Pool = Record<string, unknown> & { id: string };

let gateway: TestGateway;
let somebody: TestUser;
let hostId: string;
let made = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
  const { clusterId } = gateway.seeded;
  ({ hostId } = await joinHost(gateway.databaseUrl, { name: 'host-1', clusterId, publicKey: 'k', pools: [] }));
});
afterAll(() => gateway.stop());

const call = (command: string, parameters: Record<string, string> = {}) => gateway.admin.call(command, parameters);
const setStatus = (id: string, status: typeof storagePool.$inferSelect.status) =>
  gateway.db.update(storagePool).set({ status }).where(eq(storagePool.id, id));

async function create(changes: Record<string, string> = {}): Promise<Pool> {
  const { zoneId, clusterId } = gateway.seeded;
  const values = { name: `pool-${++made}`, url: `nfs://files.example/export/${made}` };
  const answer = await call('createStoragePool', { ...values, zoneid: zoneId, clusterid: clusterId, ...changes });
  return answer['storagepool'] as Pool;
}
const listed = async (filter: Record<string, string>) =>
  ((await call('listStoragePools', filter))['storagepool'] ?? []) as Pool[];
const announce = (poolId: string, type: PoolType, id = hostId) =>
  gateway.db.transaction((tx) => announcePool(tx, id, { poolId, type, path: '/mnt/pool' }));

describe('createStoragePool', () => {
  it('makes a pool that is Up when a host can use it, and not before', async () => {
    const pool = await create({ name: 'files', tags: 'fast,ssd', url: 'nfs://files.example:2049/export/files/' });
    const { zoneId, podId, clusterId } = gateway.seeded;
    expect(pool).toMatchObject({
      name: 'files',
      zoneid: zoneId,
      podid: podId,
      clusterid: clusterId,
      scope: 'CLUSTER',
      type: 'NetworkFilesystem',
      ipaddress: 'files.example:2049',
      path: '/export/files',
      tags: 'fast,ssd',
      state: 'Initialized',
      overprovisionfactor: '2',
      provider: 'DefaultPrimary',
    });
    const { id } = pool;
    const states = async () => (await listed({ id })).map(({ state }) => state);
    await announce(id, 'NetworkFilesystem');
    expect(await states()).toEqual(['Up']);
    expect(await listed({ status: 'Up', path: '/export/files', ipaddress: 'files.example:2049' })).toHaveLength(1);
    await gateway.db
      .update(storagePoolHostRef)
      .set({ problem: 'not mounted' })
      .where(eq(storagePoolHostRef.poolId, id));
    expect(await states()).toEqual(['Initialized']);
    expect(await listed({ status: 'Up', id })).toEqual([]);
    expect(await listed({ status: 'Initialized', id })).toHaveLength(1);
    await gateway.db.update(storagePoolHostRef).set({ problem: null }).where(eq(storagePoolHostRef.poolId, id));
    const rows = await gateway.db.select().from(event).where(eq(event.resourceId, id));
    expect(rows).toMatchObject([{ type: 'STORAGE.POOL.CREATE', description: 'Pool files was made' }]);
  });

  it('makes pools of a zone, of one host, and of directories that are mounted on all hosts', async () => {
    const zone = await create({ scope: 'ZONE', hypervisor: 'KVM' });
    expect(zone).toMatchObject({ scope: 'ZONE', type: 'NetworkFilesystem' });
    for (const key of ['podid', 'clusterid']) expect(zone).not.toHaveProperty(key);
    const shared = await create({ url: 'SharedMountPoint://localhost/mnt/gfs' });
    expect(shared).toMatchObject({ scope: 'CLUSTER', type: 'SharedMountPoint', path: '/mnt/gfs' });
    const own = await create({ scope: 'HOST', url: `filesystem://${hostId}/srv/pool` });
    expect(own).toMatchObject({ scope: 'HOST', type: 'Filesystem', path: '/srv/pool', state: 'Initialized' });

    const { hostId: other } = await joinHost(gateway.databaseUrl, {
      name: 'host-2',
      clusterId: gateway.seeded.clusterId,
      publicKey: 'k',
      pools: [],
    });
    await expect(announce(own.id, 'Filesystem', other)).rejects.toThrow("is another host's own");
    await expect(announce(shared.id, 'NetworkFilesystem')).rejects.toThrow(
      'is a SharedMountPoint, and host-1 has it as',
    );
    for (const [{ id }, type] of [
      [own, 'Filesystem'],
      [shared, 'SharedMountPoint'],
      [zone, 'NetworkFilesystem'],
    ] as const) {
      await announce(id, type);
      expect(await listed({ id, hostid: hostId })).toMatchObject([{ state: 'Up' }]);
    }
  });

  it.each([
    [{ url: 'iscsi://target/lun' }, 'The URL of a storage pool begins with'],
    [{ url: 'nfs://files.example' }, 'host or path is null, should be nfs://hostname/path'],
    [{ url: 'nfs:///export' }, 'host or path is null, should be nfs://hostname/path'],
    [{ url: 'nfs://user:secret@files.example/export' }, 'has a host and a path, and nothing else'],
    [{ url: 'file:///srv/pool' }, 'give scope=HOST and filesystem://<id of the host>/<path>'],
    [{ url: `filesystem://${crypto.randomUUID()}/srv` }, 'Invalid parameter url'],
    [{ url: 'nfs://files.example/x', scope: 'HOST' }, 'has a URL that begins with filesystem://'],
    [{ clusterid: '' }, "cluster id can't be null, if scope is cluster"],
    [{ clusterid: crypto.randomUUID() }, 'Invalid parameter clusterid'],
    [{ podid: crypto.randomUUID() }, 'is not in that pod'],
    [{ scope: 'ZONE' }, 'Missing parameter hypervisor'],
    [{ scope: 'ZONE', hypervisor: 'KVM', zoneid: crypto.randomUUID() }, 'Invalid parameter zoneid'],
    [{ managed: 'true' }, 'does not support parameter managed'],
  ])('makes none of %j', async (wrong, errortext) => {
    await expect(create(wrong)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(errortext) as string,
    });
  });

  it('makes none twice, nor in a cluster of another zone', async () => {
    const { name } = await create({ name: 'twice', url: 'nfs://files.example/twice' });
    await expect(create({ name: name as string })).rejects.toThrow('There is a pool with the name twice');
    await expect(create({ url: 'nfs://files.example/twice/' })).rejects.toThrow('is already in use in the zone');
    await create({ url: 'SharedMountPoint://localhost/mnt/once' });
    await expect(create({ url: 'SharedMountPoint:///mnt/once' })).rejects.toThrow('is already in use in the cluster');
    const { clusterId } = await addZone(gateway.db);
    await expect(create({ clusterid: clusterId })).rejects.toThrow('The zone has no such cluster');
  });

  it('keeps a path as it is meant', () => {
    expect(parseStoragePoolUrl('nfs://[2001:db8::1]/a%20b/c').path).toBe('/a b/c');
    expect(parseStoragePoolUrl('NFS://server/a/../b//').path).toBe('/b');
    expect(() => parseStoragePoolUrl('nfs://server/%zz')).toThrow('is not encoded as a URL is');
  });
});

describe('maintenance', () => {
  const jobOf = async (command: string, id: string): Promise<string> =>
    ((await call(command, { id })) as { jobid: string }).jobid;
  const succeed = (jobid: string, result = {}) =>
    completeJob(gateway.db, jobid, { status: 'succeeded', resultCode: 0, result });

  it('begins and ends with jobs that show the pool, one at a time', async () => {
    const { id } = await create();
    const enabling = await jobOf('enableStorageMaintenance', id);
    expect(gateway.started.at(-1)).toMatchObject({
      id: enabling,
      workflowType: 'enableStorageMaintenance',
      workflowId: poolStateWorkflowId(id),
      workflowInput: { poolId: id, jobId: enabling },
    });
    await expect(call('enableStorageMaintenance', { id })).rejects.toMatchObject({ errorcode: 536 });
    await succeed(enabling);
    await setStatus(id, 'Maintenance');
    expect(await call('queryAsyncJobResult', { jobid: enabling })).toMatchObject({
      cmd: 'org.apache.cloudstack.api.command.admin.storage.PreparePrimaryStorageForMaintenanceCmd',
      jobresult: { storagepool: { id, state: 'Maintenance' } },
    });

    const cancelling = await jobOf('cancelStorageMaintenance', id);
    await setStatus(id, 'Up');
    const virtualmachines = [{ id: crypto.randomUUID(), name: 'vm', state: 'Stopped' }];
    await succeed(cancelling, { virtualmachines });
    expect(await call('queryAsyncJobResult', { jobid: cancelling })).toMatchObject({
      jobresult: { storagepool: { id, virtualmachines } },
    });
  });

  it.each([
    ['enableStorageMaintenance', 'prepareprimarystorageformaintenanceresponse'],
    ['cancelStorageMaintenance', 'cancelprimarystoragemaintenanceresponse'],
  ])('%s answers in the envelope that CloudStack has for it', async (command, envelope) => {
    const unsigned = await fetch(`${gateway.endpoint}?command=${command}&response=json`);
    expect(await unsigned.json()).toEqual({ [envelope]: expect.objectContaining({ errorcode: 401 }) as unknown });
  });

  it.each([
    ['enableStorageMaintenance', 'Disabled'],
    ['enableStorageMaintenance', 'Maintenance'],
    ['cancelStorageMaintenance', 'Up'],
    ['cancelStorageMaintenance', 'PrepareForMaintenance'],
  ] as const)('%s is refused for a pool that is %s', async (command, status) => {
    const { id } = await create();
    await setStatus(id, status);
    await expect(call(command, { id })).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(`its status is ${status}`) as string,
    });
  });

  it.each(['PrepareForMaintenance', 'ErrorInMaintenance', 'Maintenance'] as const)(
    'of a pool that is %s is not ended by enabling it',
    async (status) => {
      const { id } = await create();
      await setStatus(id, status);
      for (const enabled of ['true', 'false']) {
        await expect(call('updateStoragePool', { id, enabled })).rejects.toThrow(`Storage pool state: ${status}`);
      }
      expect(await call('updateStoragePool', { id, tags: 'slow' })).toMatchObject({
        storagepool: { tags: 'slow', state: status },
      });
    },
  );
});

describe('deleteStoragePool', () => {
  const inUse = { errorcode: 530, errortext: expect.stringContaining('there are associated disks') as string };

  /** A VM that has ended, with its disk on the pool and what its host still holds for it. */
  async function ended(poolId: string): Promise<string> {
    const templateId = await addTemplate(gateway, somebody);
    const { serviceoffering } = await call('listServiceOfferings', { name: 'Small Instance' });
    const serviceofferingid = (serviceoffering as Pool[])[0]!.id;
    const order = { zoneid: gateway.seeded.zoneId, templateid: templateId, serviceofferingid };
    const vm = (await somebody.client.call('deployVirtualMachine', order)) as { id: string; jobid: string };
    await completeJob(gateway.db, vm.jobid, { status: 'succeeded', resultCode: 0, result: {} });
    const endedAt = new Date().toISOString();
    await gateway.db.update(vmInstance).set({ state: 'Destroyed', ended: endedAt }).where(eq(vmInstance.id, vm.id));
    await gateway.db.update(volumes).set({ poolId }).where(eq(volumes.instanceId, vm.id));
    const claim = { vmId: vm.id, token: 10, hostId, poolId, cpuMhz: 0, ramBytes: 0, diskBytes: 100 };
    await gateway.db.insert(capacityClaim).values(claim);
    return vm.id;
  }
  async function expunged(vmId: string): Promise<void> {
    const removed = new Date().toISOString();
    await gateway.db.update(volumes).set({ state: 'Expunged', removed }).where(eq(volumes.instanceId, vmId));
    await gateway.db.update(vmInstance).set({ state: 'Expunged', removed }).where(eq(vmInstance.id, vmId));
  }

  it('forgets a pool in maintenance with its templates, and no other', async () => {
    const { id, name } = await create();
    await announce(id, 'NetworkFilesystem');
    const templateId = await addTemplate(gateway, somebody);
    const copy = { poolId: id, templateId, generation: 1, state: 'Ready', installPath: 'copy' } as const;
    await gateway.db.insert(templateSpoolRef).values(copy);
    await expect(call('deleteStoragePool', { id })).rejects.toThrow('it is not in Maintenance state');
    await setStatus(id, 'Maintenance');
    expect(await call('deleteStoragePool', { id })).toEqual({ success: true });
    expect(await listed({ id })).toEqual([]);
    expect(await gateway.db.$count(templateSpoolRef, eq(templateSpoolRef.poolId, id))).toBe(0);
    expect(await gateway.db.$count(storagePoolHostRef, eq(storagePoolHostRef.poolId, id))).toBe(0);
    await expect(announce(id, 'NetworkFilesystem')).rejects.toThrow("take it out of host-1's host.json");
    const rows = await gateway.db
      .select()
      .from(event)
      .where(and(eq(event.resourceId, id), eq(event.type, 'STORAGE.POOL.DELETE')));
    expect(rows).toMatchObject([{ description: `Pool ${String(name)} was deleted` }]);
    await expect(call('deleteStoragePool', { id })).rejects.toThrow('Unable to execute API command');
  });

  it('gives up the disks of what has ended when it is forced, and what hosts owe for them', async () => {
    const { id } = await create();
    const [destroyed, owed] = [await ended(id), await ended(id)];
    await expunged(owed);
    // Its host is gone: it would owe the removal of the file for ever.
    await gateway.db.insert(cleanupDebt).values({ vmId: owed, token: 10, hostId, reason: 'silent' });
    await expect(call('deleteStoragePool', { id, forced: 'true' })).rejects.toThrow('it is not in Maintenance state');
    await setStatus(id, 'Maintenance');
    await expect(call('deleteStoragePool', { id })).rejects.toMatchObject(inUse);
    const stateOf = async (vmId: string) =>
      (await gateway.db.select().from(vmInstance).where(eq(vmInstance.id, vmId)))[0]!.state;
    expect(await stateOf(destroyed)).toBe('Destroyed');

    expect(await call('deleteStoragePool', { id, forced: 'true' })).toEqual({ success: true });
    expect(await stateOf(destroyed)).toBe('Expunged');
    expect(await gateway.db.$count(capacityClaim, eq(capacityClaim.poolId, id))).toBe(0);
    expect(await gateway.db.$count(cleanupDebt)).toBe(0);
    const rows = await gateway.db
      .select()
      .from(event)
      .where(and(eq(event.resourceId, destroyed), eq(event.type, 'VM.EXPUNGE')));
    expect(rows).toMatchObject([{ accountId: somebody.accountId }]);
  });

  it('keeps a pool that a host may still run something from', async () => {
    const { id } = await create();
    const vmId = await ended(id);
    await expunged(vmId);
    await gateway.db.update(capacityClaim).set({ cpuMhz: 500 }).where(eq(capacityClaim.vmId, vmId));
    await gateway.db.update(host).set({ cpuUsedMhz: 500 }).where(eq(host.id, hostId));
    await setStatus(id, 'Maintenance');
    await expect(call('deleteStoragePool', { id, forced: 'true' })).rejects.toMatchObject(inUse);
  });
});

it.each(['deleteStoragePool', 'enableStorageMaintenance', 'cancelStorageMaintenance'])(
  '%s is for root admins, and says when there is no such pool',
  async (command) => {
    const id = crypto.randomUUID();
    await expect(somebody.client.call(command, { id })).rejects.toThrow('The given command does not exist');
    await expect(call(command, { id })).rejects.toThrow('Unable to execute API command');
  },
);

it('primary storage has one provider, by which pools are made; other storage has none', async () => {
  const answer = { count: 1, dataStoreProvider: [{ name: 'DefaultPrimary', type: 'PRIMARY' }] };
  expect(await call('listStorageProviders', { type: 'primary' })).toEqual(answer);
  expect(await call('listStorageProviders', { type: 'image' })).toEqual({});
});
