import { and, eq, isNull } from 'drizzle-orm';
import { joinHost } from '../../db/join-host.js';
import {
  cluster,
  configurationScoped,
  dataCenter,
  event,
  host,
  hostJoinToken,
  hostPodRef,
  networks,
  storagePool,
  vmInstance,
  vmTemplate,
} from '../../db/schema/index.js';
import { seed } from '../../db/seed.js';
import { addTemplate } from '../../tests/support/add-template.js';
import { TEST_SECRET_KEY } from '../../tests/support/test-database.js';
import { startTestGateway, type TestGateway, type TestUser } from '../../tests/support/test-gateway.js';
import { COMMANDS } from './index.js';

/** Zones, pods and clusters: what there is, what they are called, and what keeps them from being deleted. */

type Place = Record<string, unknown> & { id: string };

let gateway: TestGateway;
let somebody: TestUser;

beforeAll(async () => {
  gateway = await startTestGateway();
  somebody = await gateway.addUser('somebody');
});
afterAll(() => gateway.stop());

const call = (command: string, parameters: Record<string, string> = {}) => gateway.admin.call(command, parameters);
const eventsOf = async (id: string) =>
  (await gateway.db.select().from(event).where(eq(event.resourceId, id)).orderBy(event.created)).map(
    ({ type, description }) => `${type} ${description}`,
  );

let made = 0;
async function zone(changes: Record<string, string> = {}): Promise<Place> {
  const values = { name: `made-${++made}`, networktype: 'Advanced', dns1: '192.0.2.1', internaldns1: '192.0.2.2' };
  return (await call('createZone', { ...values, ...changes }))['zone'] as Place;
}
const pod = async (zoneid: string, changes: Record<string, string> = {}) =>
  (await call('createPod', { name: 'pod', zoneid, ...changes }))['pod'] as Place;
async function addCluster(zoneid: string, podid: string, changes: Record<string, string> = {}): Promise<Place> {
  const type = { clustertype: 'CloudManaged', hypervisor: 'KVM' };
  const answer = await call('addCluster', { clustername: 'cluster', ...type, zoneid, podid, ...changes });
  expect(answer['count']).toBe(1);
  return (answer['cluster'] as Place[])[0]!;
}

describe('zones', () => {
  it('are made with what an operator says of them and with their network, changed, and deleted', async () => {
    const made = await zone({
      name: 'west',
      dns2: '192.0.2.3',
      ip6dns1: '2001:db8::1',
      guestcidraddress: '10.1.1.0/24',
      domain: 'west.example',
    });
    expect(made).toMatchObject({
      name: 'west',
      networktype: 'Advanced',
      allocationstate: 'Enabled',
      dns1: '192.0.2.1',
      internaldns1: '192.0.2.2',
      dns2: '192.0.2.3',
      ip6dns1: '2001:db8::1',
      guestcidraddress: '10.1.1.0/24',
      domain: 'west.example',
    });
    const { id } = made;
    const isUsers = and(eq(networks.dataCenterId, id), eq(networks.guestType, 'User'), isNull(networks.removed));
    expect(await gateway.db.$count(networks, isUsers)).toBe(1);

    const changed = { name: 'far west', domain: 'far.example', allocationstate: 'Disabled' };
    expect(await call('updateZone', { id, ...changed })).toMatchObject({ zone: { ...changed, dns2: '192.0.2.3' } });
    expect(await somebody.client.call('listZones', { id })).toEqual({});

    expect(await call('deleteZone', { id })).toEqual({ success: true });
    expect(await call('listZones', { id })).toEqual({});
    expect(await gateway.db.$count(networks, isUsers)).toBe(0);
    expect(await eventsOf(id)).toEqual([
      'ZONE.CREATE Zone west was made',
      'ZONE.EDIT Zone west was changed: {"name":"far west","allocationState":"Disabled","domain":"far.example"}',
      'ZONE.DELETE Zone far west was deleted',
    ]);
    await zone({ name: 'far west' });
  });

  it('have names of their own', async () => {
    await zone({ name: 'north' });
    const { id } = await zone();
    const taken = {
      errorcode: 431,
      errortext: expect.stringContaining('A zone with that name already exists') as string,
    };
    await expect(zone({ name: 'north' })).rejects.toMatchObject(taken);
    await expect(call('updateZone', { id, name: 'north' })).rejects.toMatchObject(taken);
  });

  it.each([
    [{ networktype: 'Basic' }, 'Slipway has zones of network type Advanced only'],
    [{ networktype: 'flat' }, 'invalid value flat for parameter networktype'],
    [{ dns1: '192.0.2.256' }, 'invalid value 192.0.2.256 for parameter dns1'],
    [{ dns1: '' }, 'missing parameter dns1'],
    [{ ip6dns1: '192.0.2.1' }, 'for parameter ip6dns1'],
    [{ guestcidraddress: '10.1.1.0/33' }, 'Please enter a valid guest cidr'],
    [{ securitygroupenabled: 'true' }, 'does not support parameter securitygroupenabled'],
  ])('are not made of %j', async (wrong, errortext) => {
    await expect(zone(wrong)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(errortext) as string,
    });
  });

  it('are shown to users as far as they need them, and what they have only to root admins', async () => {
    const { id } = await zone();
    const [shown] = (await somebody.client.call('listZones', { id, showcapacities: true }))['zone'] as Place[];
    expect(shown).toMatchObject({ id, allocationstate: 'Enabled', localstorageenabled: true, type: 'Core' });
    for (const key of ['dns1', 'internaldns1', 'guestcidraddress', 'capacity']) expect(shown).not.toHaveProperty(key);
    const [whole] = (await call('listZones', { id, showcapacities: 'true' }))['zone'] as Place[];
    expect(whole).toMatchObject({ dns1: '192.0.2.1', capacity: expect.arrayContaining([]) as unknown });
  });

  it('are not deleted with something in them', async () => {
    const { id } = await zone();
    const isKept = (what: string) =>
      expect(call('deleteZone', { id })).rejects.toMatchObject({
        errorcode: 530,
        errortext: `The zone cannot be deleted because there are ${what} in this zone`,
      });
    const { id: podid } = await pod(id);
    await isKept('pods');
    await call('deletePod', { id: podid });

    const templateId = await addTemplate(gateway, somebody);
    const { serviceoffering } = await call('listServiceOfferings', { name: 'Small Instance' });
    const serviceofferingid = (serviceoffering as Place[])[0]!.id;
    const { seeded } = gateway;
    const order = { zoneid: seeded.zoneId, templateid: templateId, serviceofferingid };
    const vm = (await somebody.client.call('deployVirtualMachine', order)) as Place;
    await gateway.db.update(vmInstance).set({ dataCenterId: id }).where(eq(vmInstance.id, vm.id));
    await isKept('virtual machines');
    await gateway.db.update(vmInstance).set({ dataCenterId: seeded.zoneId }).where(eq(vmInstance.id, vm.id));

    const { networkoffering } = await call('listNetworkOfferings', { name: 'DefaultL2NetworkOffering' });
    const networkofferingid = (networkoffering as Place[])[0]!.id;
    const network = (await call('createNetwork', { name: 'l2', zoneid: id, networkofferingid }))['network'] as Place;
    await isKept('networks');
    await call('deleteNetwork', { id: network.id });
    expect(await call('deleteZone', { id })).toEqual({ success: true });
  });

  it('take templates that no other zone has with them, and their settings', async () => {
    const { id } = await zone();
    const only = await addTemplate(gateway, somebody, { zoneIds: [id] });
    const both = await addTemplate(gateway, somebody, { zoneIds: [id, gateway.seeded.zoneId] });
    await call('deleteZone', { id });
    const stateOf = async (templateId: string) =>
      (await gateway.db.select().from(vmTemplate).where(eq(vmTemplate.id, templateId)))[0]!.state;
    expect([await stateOf(only), await stateOf(both)]).toEqual(['Inactive', 'Active']);
    expect(await gateway.db.$count(configurationScoped, eq(configurationScoped.zoneId, id))).toBe(0);
  });
});

describe('pods', () => {
  const network = { gateway: '192.0.2.1', netmask: '255.255.255.0', startip: '192.0.2.10', endip: '192.0.2.20' };

  it('are made, changed, listed and deleted', async () => {
    const { id: zoneid, name: zonename } = await zone();
    const made = await pod(zoneid, { name: 'row-1', ...network });
    expect(made).toMatchObject({
      name: 'row-1',
      zoneid,
      zonename,
      gateway: '192.0.2.1',
      netmask: '255.255.255.0',
      startip: ['192.0.2.10'],
      endip: ['192.0.2.20'],
      allocationstate: 'Enabled',
    });
    const { id } = made;
    const { pod: changed } = await call('updatePod', {
      id,
      name: 'row-2',
      endip: '192.0.2.30',
      allocationstate: 'Disabled',
    });
    expect(changed).toMatchObject({ name: 'row-2', endip: ['192.0.2.30'], allocationstate: 'Disabled' });
    await expect(call('updatePod', { id, endip: '192.0.2.9' })).rejects.toMatchObject({ errorcode: 431 });
    expect(await call('listPods', { zoneid, allocationstate: 'Disabled' })).toMatchObject({ count: 1, pod: [{ id }] });
    expect(await call('listPods', { zoneid, allocationstate: 'Enabled' })).toEqual({});
    expect(await call('deletePod', { id })).toEqual({ success: true });
    expect((await eventsOf(id)).map((text) => text.split(' ')[0])).toEqual(['POD.CREATE', 'POD.EDIT', 'POD.DELETE']);
  });

  it.each([
    [{ netmask: '255.0.255.0' }, 'Please specify a valid netmask'],
    [{ startip: '192.0.1.1' }, 'The start IP address 192.0.1.1 is not in the subnet of the gateway'],
    [{ endip: '192.0.2.5' }, 'The start IP address must have a lower value than the end IP address'],
    [{ startip: '' }, 'An end IP address without a start IP address says nothing'],
    [{ gateway: 'router' }, 'invalid value router for parameter gateway'],
  ])('are not made with %j', async (wrong, errortext) => {
    await expect(pod(gateway.seeded.zoneId, { ...network, ...wrong })).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(errortext) as string,
    });
  });

  it('without addresses have no lists of them', async () => {
    const { id: zoneid } = await zone();
    const made = await pod(zoneid, { gateway: network.gateway, netmask: network.netmask, startip: network.startip });
    expect(made).toMatchObject({ startip: ['192.0.2.10'] });
    expect(made).not.toHaveProperty('endip');
    const { pod: listed } = (await call('listPods', { id: (await pod(zoneid, { name: 'bare' })).id })) as {
      pod: object[];
    };
    for (const key of ['startip', 'endip']) expect(listed[0]).not.toHaveProperty(key);
  });

  it('have names of their own in their zone, and are not deleted with clusters in them', async () => {
    const { id: zoneid } = await zone();
    const { id } = await pod(zoneid);
    await expect(pod(zoneid)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining('A pod with name pod already exists in the zone') as string,
    });
    await pod((await zone()).id);
    const { id: clusterid } = await addCluster(zoneid, id);
    await expect(call('deletePod', { id })).rejects.toMatchObject({
      errorcode: 530,
      errortext: 'The pod cannot be deleted because there are clusters in this pod',
    });
    await call('deleteCluster', { id: clusterid });
    expect(await call('deletePod', { id })).toEqual({ success: true });
  });
});

describe('clusters', () => {
  it('are made, changed, listed and deleted', async () => {
    const { id: zoneid } = await zone();
    const { id: podid } = await pod(zoneid);
    const made = await addCluster(zoneid, podid, { arch: 'aarch64', allocationstate: 'Disabled' });
    expect(made).toMatchObject({
      name: 'cluster',
      zoneid,
      podid,
      podname: 'pod',
      hypervisortype: 'KVM',
      clustertype: 'CloudManaged',
      managedstate: 'Managed',
      arch: 'aarch64',
      allocationstate: 'Disabled',
      cpuovercommitratio: '1',
      memoryovercommitratio: '1',
    });
    const { id } = made;
    const changes = { clustername: 'renamed', arch: 'x86_64', allocationstate: 'Enabled' };
    expect(await call('updateCluster', { id, ...changes })).toMatchObject({
      cluster: { name: 'renamed', arch: 'x86_64', allocationstate: 'Enabled' },
    });
    expect(await call('listClusters', { podid, name: 'renamed' })).toMatchObject({ count: 1, cluster: [{ id }] });
    await expect(addCluster(zoneid, podid, { clustername: 'renamed' })).rejects.toMatchObject({ errorcode: 431 });
    expect(await call('deleteCluster', { id })).toEqual({ success: true });
    expect((await eventsOf(id)).map((text) => text.split(' ')[0])).toEqual([
      'CLUSTER.CREATE',
      'CLUSTER.EDIT',
      'CLUSTER.DELETE',
    ]);
  });

  it.each([
    [{ hypervisor: 'XenServer' }, 'for parameter hypervisor'],
    [{ clustertype: 'ExternalManaged' }, 'for parameter clustertype'],
    [{ arch: 'riscv' }, 'for parameter arch'],
    [{ podid: crypto.randomUUID() }, 'Invalid parameter podid'],
  ])('are not made of %j', async (wrong, errortext) => {
    const { zoneId, podId } = gateway.seeded;
    await expect(addCluster(zoneId, podId, wrong)).rejects.toMatchObject({
      errorcode: 431,
      errortext: expect.stringContaining(errortext) as string,
    });
  });

  it('stay while they have hosts, and of the architecture of those; without them no host joins', async () => {
    const { id: zoneid } = await zone();
    const { id } = await addCluster(zoneid, (await pod(zoneid)).id);
    const { hostId } = await joinHost(gateway.databaseUrl, { name: 'there', clusterId: id, publicKey: 'k', pools: [] });
    await expect(call('deleteCluster', { id })).rejects.toMatchObject({
      errorcode: 530,
      errortext: 'Cluster cluster cannot be removed. Cluster still has hosts',
    });
    await call('createHostJoinToken', { clusterid: id });
    await expect(call('updateCluster', { id, arch: 'aarch64' })).rejects.toThrow('has host there, which is x86_64');
    await gateway.db.update(host).set({ removed: new Date().toISOString() }).where(eq(host.id, hostId));
    expect(await call('deleteCluster', { id })).toEqual({ success: true });
    expect(await gateway.db.$count(hostJoinToken, eq(hostJoinToken.clusterId, id))).toBe(0);
  });
});

describe('what the database never allows', () => {
  const removed = new Date().toISOString();
  const violates = (constraint: string) => ({ cause: { constraint_name: constraint } });

  it('is a place without the one that it is in, or something in a place that is gone', async () => {
    const { db } = gateway;
    const { id: zoneid } = await zone();
    const { id: podid } = await pod(zoneid);
    const { id: clusterId } = await addCluster(zoneid, podid);
    await joinHost(gateway.databaseUrl, { name: 'kept', clusterId, publicKey: 'k', pools: [] });
    const [self] = await db.select().from(cluster).where(eq(cluster.id, clusterId));
    const place = { dataCenterId: zoneid, podId: podid };

    await expect(db.update(dataCenter).set({ removed }).where(eq(dataCenter.id, zoneid))).rejects.toMatchObject(
      violates('host_pod_ref_present_zone_id_data_center_present_id_fk'),
    );
    await expect(db.update(hostPodRef).set({ removed }).where(eq(hostPodRef.id, podid))).rejects.toMatchObject(
      violates('cluster_present_pod_id_host_pod_ref_present_id_fk'),
    );
    await expect(db.update(cluster).set({ removed }).where(eq(cluster.id, clusterId))).rejects.toMatchObject(
      violates('host_present_cluster_id_cluster_present_id_fk'),
    );
    const gone = await addCluster(zoneid, podid, { clustername: 'gone' });
    await call('deleteCluster', { id: gone.id });
    await expect(
      db.insert(host).values({ ...place, clusterId: gone.id, name: 'late', publicKey: 'k' }),
    ).rejects.toMatchObject(violates('host_present_cluster_id_cluster_present_id_fk'));
    // A cluster of one zone in the pod of another, and a pool of the storage in both.
    const { id: other } = await zone();
    await expect(
      db.insert(cluster).values({ name: 'torn', podId: self!.podId, dataCenterId: other }),
    ).rejects.toMatchObject(violates('cluster_pod_id_data_center_id_fk'));
    const shared = { name: 'torn', poolType: 'NetworkFilesystem', scope: 'CLUSTER' } as const;
    await expect(
      db.insert(storagePool).values({ ...shared, dataCenterId: other, podId: podid, clusterId }),
    ).rejects.toMatchObject(violates('storage_pool_cluster_id_pod_id_data_center_id_fk'));
    await expect(db.insert(storagePool).values({ ...shared, dataCenterId: other })).rejects.toMatchObject(
      violates('storage_pool_scope_check'),
    );
  });
});

describe('what there is', () => {
  it('is told of zones, pods and clusters, as far as it may be promised', async () => {
    const { db, databaseUrl } = gateway;
    const { id: zoneid, name: zonename } = await zone();
    const { id: podid } = await pod(zoneid);
    const { id: clusterid } = await addCluster(zoneid, podid);
    const [own, shared] = [crypto.randomUUID(), crypto.randomUUID()];
    const { hostId } = await joinHost(databaseUrl, {
      name: 'counted',
      clusterId: clusterid,
      publicKey: 'k',
      pools: [
        { poolId: own, type: 'Filesystem', path: '/own' },
        { poolId: shared, type: 'NetworkFilesystem', path: '/shared' },
      ],
    });
    await db
      .update(host)
      .set({ cpus: 4, speedMhz: 1000, cpuUsedMhz: 500, ramBytes: 8000, ramUsedBytes: 1000 })
      .where(eq(host.id, hostId));
    const sizes = { capacityBytes: 1000, usedBytes: 300, allocatedBytes: 400, templateBytes: 100 };
    await db.update(storagePool).set(sizes).where(eq(storagePool.dataCenterId, zoneid));
    const entry = (type: number, name: string, used: number, total: number, percentused: string) =>
      expect.objectContaining({ type, name, zoneid, zonename, capacityused: used, capacitytotal: total, percentused });
    const all = [
      entry(0, 'MEMORY', 1000, 8000, '12.5'),
      entry(1, 'CPU', 500, 4000, '12.5'),
      entry(2, 'STORAGE', 300, 1000, '30'),
      entry(3, 'STORAGE_ALLOCATED', 500, 2000, '25'),
      entry(9, 'LOCAL_STORAGE', 500, 2000, '25'),
      entry(90, 'CPU_CORE', 0, 4, '0'),
    ];
    expect(await call('listCapacity', { zoneid })).toEqual({ count: 6, capacity: all });
    expect(await call('listCapacity', { clusterid, type: '1' })).toMatchObject({
      count: 1,
      capacity: [{ type: 1, podid, podname: 'pod', clusterid, clustername: 'cluster' }],
    });
    const { capacity } = await call('listCapacity', { podid, sortby: 'usage', pagesize: '1' });
    expect(capacity).toEqual([expect.objectContaining({ name: 'STORAGE', podid })]);
    for (const [command, id] of [
      ['listZones', zoneid],
      ['listPods', podid],
      ['listClusters', clusterid],
    ] as const) {
      const answer = await call(command, { id, showcapacities: 'true' });
      const [item] = Object.values(answer).find(Array.isArray) as Place[];
      expect(item!['capacity']).toEqual(all);
    }
    await expect(call('listCapacity', { clusterid: crypto.randomUUID() })).rejects.toMatchObject({ errorcode: 431 });
  });

  it('has one hypervisor, and families of OS types', async () => {
    expect(await somebody.client.call('listHypervisors')).toEqual({ count: 1, hypervisor: [{ name: 'KVM' }] });
    expect(await call('listHypervisorCapabilities', { hypervisor: 'kvm' })).toMatchObject({
      count: 1,
      hypervisorcapabilities: [{ hypervisor: 'KVM', vmsnapshotenabled: false }],
    });
    expect(await call('listHypervisorCapabilities', { hypervisor: 'VMware' })).toEqual({});
    expect(await somebody.client.call('listCapabilities')).toMatchObject({
      capability: { cloudstackversion: expect.stringMatching(/^4\./) as string, allowuserexpungerecovervm: false },
    });
    const { count, oscategory } = await somebody.client.call('listOsCategories', { name: 'ubuntu' });
    expect([count, oscategory]).toEqual([1, [{ id: expect.any(String) as string, name: 'Ubuntu' }]]);
    const { id } = (oscategory as Place[])[0]!;
    expect(await somebody.client.call('listOsTypes', { oscategoryid: id })).toMatchObject({
      count: 2,
      ostype: [{ oscategoryid: id, oscategoryname: 'Ubuntu' }, { oscategoryid: id }],
    });
    expect(await somebody.client.call('listOsCategories', { id })).toMatchObject({ count: 1 });
  });
});

const CHANGES = ['Zone', 'Pod', 'Cluster'].flatMap((what) => [`update${what}`, `delete${what}`]);

it.each(CHANGES)('%s is for root admins, and says when there is no such thing', async (command) => {
  const id = crypto.randomUUID();
  await expect(somebody.client.call(command, { id })).rejects.toThrow('The given command does not exist');
  await expect(call(command, { id })).rejects.toThrow('Unable to execute API command');
});

it.each(['listZones', 'listPods', 'listClusters', 'listCapacity', 'listOsCategories', 'listCapabilities'])(
  '%s answers with declared keys only',
  async (name) => {
    const { response, kind } = COMMANDS.find((command) => command.name === name)!;
    const answer = await call(name);
    const item = kind === 'list' ? (answer[response.objectName] as object[])[0]! : answer;
    expect(Object.keys(response.fields)).toEqual(expect.arrayContaining(Object.keys(item)));
  },
);

it('gives an installation whose clusters were all deleted another one at its next start', async () => {
  const { db, databaseUrl, seeded } = gateway;
  const start = () => seed(databaseUrl, { secretKeyBase64: TEST_SECRET_KEY });
  const removed = new Date().toISOString();
  await db.update(host).set({ removed });
  await db.update(storagePool).set({ removed });
  await db.update(cluster).set({ removed });
  const again = await start();
  expect(again).toMatchObject({ zoneId: seeded.zoneId, podId: seeded.podId });
  expect(again.clusterId).not.toBe(seeded.clusterId);
  expect(await start()).toMatchObject({ clusterId: again.clusterId });
});
