import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { revokeHost } from '../../../db/revoke-host.js';
import {
  capacityClaim,
  cleanupDebt,
  cluster,
  event,
  host,
  reconciliationFinding,
  storagePool,
  templateSpoolRef,
  user,
  vmInstance,
  volumes,
} from '../../../db/schema/index.js';
import type { DomainReport, HostFacts, HostStatus, PoolPlace } from '../../../shared/hosts.js';
import type { HostInventory, SettledInventory } from '../../../shared/reconciliation.js';
import type { PoolCopies } from '../../../shared/templates.js';
import { OLDEST_HOST_PROTOCOL, PROTOCOL_VERSION } from '../../../shared/version.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { compareInventory, recordReconciled } from '../reconcile/reconcile.js';
import { beginStage, finishStage } from '../template/stage.js';
import { oweCleanup, recordRunning, releaseClaim } from '../virtual-machine/deployment.js';
import { recordStarted, recordStopped } from '../virtual-machine/start-stop.js';
import { recordHello, recordHostStatus } from './host.js';

/** Whoever has one machine says for it what he likes. */
describe('what a host says', () => {
  let database: TestDatabase;
  let client: ControlPlane['client'];
  const pools = { honest: ownPool(), liar: ownPool() };
  let hostIds: { honest: string; liar: string };

  beforeAll(async () => {
    database = await createTestDatabase();
    client = {} as ControlPlane['client'];
    const join = async (name: 'honest' | 'liar') => {
      const joined = { name, clusterId: database.seeded.clusterId, publicKey: name, pools: [pools[name]] };
      return (await joinHost(database.databaseUrl, joined)).hostId;
    };
    hostIds = { honest: await join('honest'), liar: await join('liar') };
    await database.db.update(host).set({ status: 'Up', cpus: 4, speedMhz: 1000, ramBytes: 1000 });
    await database.db.update(storagePool).set({ capacityBytes: 10_000 });
  });
  afterAll(() => database.drop());

  const statusOf = (said: {
    pools?: PoolPlace[];
    domains?: DomainReport[];
    facts?: Partial<HostFacts>;
  }): HostStatus => {
    const facts: HostFacts = {
      bootId: 'b',
      arch: 'x86_64',
      cpus: 4,
      cpuSpeedMhz: 1000,
      memoryBytes: 1000,
      domainType: 'kvm',
      hypervisorVersion: 'QEMU',
      pools: (said.pools ?? []).map((pool) => ({ ...pool, capacityBytes: 1, usedBytes: 1 })),
      ...said.facts,
    };
    return { facts, domains: said.domains ?? [] };
  };
  const say = (said: Parameters<typeof statusOf>[0]) =>
    recordHostStatus({ ...database, client })({ hostId: hostIds.liar, status: statusOf(said) });

  it('tells nothing of pools that it does not have', async () => {
    await say({ pools: [pools.honest, pools.liar] });
    const sizes = await database.db
      .select({ id: storagePool.id, capacityBytes: storagePool.capacityBytes })
      .from(storagePool);
    expect(Object.fromEntries(sizes.map(({ id, capacityBytes }) => [id, capacityBytes]))).toEqual({
      [pools.honest.poolId]: 10_000,
      [pools.liar.poolId]: 1,
    });
  });

  it('tells its address, and has none when it does not', async () => {
    const address = async () =>
      (await database.db.select().from(host).where(eq(host.id, hostIds.liar)))[0]?.privateIpAddress;
    await say({ facts: { ipAddress: '192.0.2.7' } });
    expect(await address()).toBe('192.0.2.7');
    await say({});
    expect(await address()).toBeNull();
  });

  it('fills neither rows nor events with endless texts, nor with such as no database takes', async () => {
    const text = `\0${'x'.repeat(100_000)}`;
    const pool = { ...pools.liar, capacityBytes: 1, usedBytes: 1, problem: text };
    const texts = {
      hypervisorVersion: text,
      libvirtVersion: text,
      slipwayVersion: text,
      bootId: text,
      arch: text,
      ipAddress: text,
    };
    await say({ facts: { ...texts, missingTools: Array.from({ length: 1000 }, () => text), pools: [pool] } });
    const [self] = await database.db.select().from(host).where(eq(host.id, hostIds.liar));
    expect(self).toMatchObject({ status: 'Alert', libvirtVersion: expect.stringMatching(/^ x{253}…$/) as string });
    expect(JSON.stringify(self).length).toBeLessThan(20_000);
    const events = await database.db.select().from(event);
    expect(Math.max(...events.map(({ description }) => description.length))).toBeLessThan(5_000);
    await say({ pools: [pools.liar] });
  });

  it.each<[string, Partial<HostFacts>]>([
    ['a generation of certificates that no database takes', { keystore: { generation: 1e300, digest: 'd' } }],
    ['a generation that is no number', { keystore: { generation: 'x' as unknown as number, digest: 'd' } }],
    ['a digest that is no text', { keystore: { generation: 1, digest: {} as unknown as string } }],
    ['no certificates, but nothing', { keystore: null as unknown as undefined }],
    ['more processors than there can be', { cpus: 1e12 }],
    ['half a processor', { cpus: 0.5 }],
    ['processors of no speed that can be', { cpuSpeedMhz: 1e300 }],
    ['less memory than none', { memoryBytes: -1 }],
    ['memory that is no number', { memoryBytes: 'much' as unknown as number }],
    ['a version that is no text', { libvirtVersion: 7 as unknown as string }],
    ['tools that are no list', { missingTools: 'qemu-img' as unknown as string[] }],
    ['a kind of domain that there is not', { domainType: 'xen' as 'kvm' }],
  ])('is recorded all the same with %s', async (what, facts) => {
    await say({ facts: { ...facts, hypervisorVersion: what } });
    const [self] = await database.db.select().from(host).where(eq(host.id, hostIds.liar));
    expect(self!.hypervisorVersion).toBe(what);
    await say({});
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'hello'],
    ['no facts', { domains: [] }],
    ['facts without pools', { facts: { bootId: 'b' }, domains: [] }],
    ['a pool that is none', { facts: { bootId: 'b', pools: [null] }, domains: [] }],
    ['no domains', { facts: { bootId: 'b', pools: [] } }],
    ['a domain that is none', { facts: { bootId: 'b', pools: [] }, domains: [null] }],
    ['a protocol that is no number', { facts: { pools: [], protocolVersion: { toString: 1 } }, domains: [] }],
  ])('is refused, and not tried again for ever, when it is %s', async (_, nonsense) => {
    const status = nonsense as HostStatus;
    const refused = { code: 'SLIPWAY_HOST_TOO_OLD' };
    const { liar: hostId } = hostIds;
    await expect(recordHostStatus({ ...database, client })({ hostId, status })).rejects.toMatchObject(refused);
    await expect(recordHello({ ...database, client })({ hostId, status, partials: [] })).rejects.toMatchObject(refused);
  });

  it('is not recorded of a host that was removed: whoever watches it is to end', async () => {
    const { db, databaseUrl, seeded } = database;
    const joined = { name: 'removed', clusterId: seeded.clusterId, publicKey: 'key', pools: [] };
    const { hostId } = await joinHost(databaseUrl, joined);
    const removed = new Date().toISOString();
    await db.update(host).set({ status: 'Removed', resourceState: 'Disabled', removed }).where(eq(host.id, hostId));
    const [before] = await db.select().from(host).where(eq(host.id, hostId));
    const word = { hostId, sentMs: 1, status: statusOf({ facts: { bootId: 'later' } }) };
    const refused = { code: 'SLIPWAY_HOST_REMOVED', message: 'Host removed was removed from the installation' };
    await expect(recordHostStatus({ ...database, client })(word)).rejects.toMatchObject(refused);
    await expect(recordHello({ ...database, client })({ ...word, partials: [] })).rejects.toMatchObject(refused);
    expect(await db.select().from(host).where(eq(host.id, hostId))).toEqual([before]);
  });

  it('is compared at each word with what the control workers run, who may be others since its hello', async () => {
    const { db } = database;
    const skewOf = async () => (await db.select().from(host).where(eq(host.id, hostIds.liar)))[0]!.versionSkew;
    const skews = async () => (await db.select().from(event)).filter(({ type }) => type === 'HOST.VERSION.SKEW').length;
    const before = await skews();
    await say({ facts: { slipwayVersion: '99.1.0', protocolVersion: PROTOCOL_VERSION } });
    await say({ facts: { slipwayVersion: '99.1.0', protocolVersion: PROTOCOL_VERSION } });
    expect(await skewOf()).toContain('the host runs Slipway 99.1.0');
    expect(await skews()).toBe(before + 1);
    await expect(say({ facts: { protocolVersion: OLDEST_HOST_PROTOCOL - 1 } })).rejects.toMatchObject({
      code: 'SLIPWAY_HOST_TOO_OLD',
      message: expect.stringContaining('Host liar runs Slipway') as string,
    });
    await say({});
    expect(await skewOf()).toBeNull();
  });

  it('does not make it a host of a cluster of another architecture', async () => {
    const { db } = database;
    await db.update(cluster).set({ arch: 'x86_64' });
    const hello = (arch: string) => {
      const status = statusOf({ pools: [pools.honest], facts: { arch, bootId: 'first' } });
      return recordHello({ ...database, client })({ hostId: hostIds.honest, status, partials: [] });
    };
    await expect(hello('aarch64')).rejects.toMatchObject({
      code: 'SLIPWAY_RESOURCE_STATE',
      message: expect.stringContaining('Host honest is aarch64, and cluster cluster-1 is for x86_64') as string,
    });
    const [self] = await db.select().from(host).where(eq(host.id, hostIds.honest));
    expect(self).toMatchObject({ arch: 'x86_64', bootId: null });
    await expect(hello('x86_64')).resolves.toMatchObject({ hostName: 'honest' });
  });

  it('frees nothing that a VM holds of another host', async () => {
    const { db } = database;
    const scenario = new Scenario({ ...database, client } as ControlPlane);
    const { vmId, job } = await scenario.vm(await scenario.template());
    await db.execute(`update async_job set job_status = 1, completed = now() where id = '${job.id}'`);
    const claim = { vmId, poolId: pools.honest.poolId, cpuMhz: 500, ramBytes: 10, diskBytes: 0 };
    await db.insert(capacityClaim).values({ ...claim, token: 4, hostId: hostIds.honest });
    await db
      .update(vmInstance)
      .set({ state: 'Running', hostId: hostIds.honest, fenceToken: 4 })
      .where(eq(vmInstance.id, vmId));
    expect(await say({ domains: [{ vmId, state: 'Running', token: 4 }] })).toEqual([]);
    // One of an earlier try is its own, and has to end.
    expect(await say({ domains: [{ vmId, state: 'Running', token: 2 }] })).toMatchObject([{ vmId, token: 2 }]);
  });

  it('fills no debt with an endless reason, nor with one that no database takes', async () => {
    const { db } = database;
    const [claim] = await db.select().from(capacityClaim);
    const debt = { vmId: claim!.vmId, token: claim!.token, keepsDisk: true };
    await oweCleanup({ ...database, client })({ debt, reason: `\0${'x'.repeat(100_000)}` });
    expect(await db.select().from(cleanupDebt)).toMatchObject([
      { reason: expect.stringMatching(/^ x{998}…$/) as string },
    ]);
    await db.delete(cleanupDebt);
  });

  it('names no VM, pool or file that there cannot be: it would be looked for until the end of time', async () => {
    const vmId = crypto.randomUUID();
    const domains = [
      { vmId: '../x', state: 'Running', token: 2 },
      { vmId, state: 'Stopped', token: 1.5 },
    ] satisfies DomainReport[];
    const sizes = [
      { poolId: 'x' },
      { poolId: [crypto.randomUUID()] as unknown as string },
      { poolId: crypto.randomUUID(), type: 'RBD' as 'Filesystem' },
      { ...pools.liar, capacityBytes: -1 },
      { ...pools.liar, usedBytes: 0.5 },
    ];
    const facts = { pools: sizes.map((size) => ({ ...pools.liar, capacityBytes: 1, usedBytes: 1, ...size })) };
    expect(await say({ domains, facts })).toEqual([]);
    const status = statusOf({ domains, facts });
    const { poolId } = pools.liar;
    for (const partials of [[{ poolId: 'x', copies: [] }], [{ poolId, copies: null }], [null], null]) {
      const said = { hostId: hostIds.liar, status, partials: partials as PoolCopies[] };
      expect(await recordHello({ ...database, client })(said)).toMatchObject({ debts: [], deadPartials: [] });
    }
    await say({ pools: [pools.liar] });

    const files = ['disk', `${vmId}.2.creating.${'x'.repeat(1_000)}`, `${vmId}.2.creating.\0`];
    const bootId = `\0${'x'.repeat(1_000)}`;
    const inventory = { bootId, pools: [{ poolId, files, recentFiles: [] }], vmIds: ['x'], keptVmIds: ['x'] };
    const compared = await compareInventory({ ...database, client })({ hostId: hostIds.liar, inventory });
    expect(compared).toMatchObject({ settlement: { orphans: [], goneVmIds: [] }, findings: [] });
    const named = files.map((fileName) => ({ poolId, fileName }));
    const missing = named.map((file) => ({ ...file, kind: 'lostVolume' as const }));
    const settled = { removed: named, inUse: named, missing };
    const told = { hostId: hostIds.liar, bootId, ranges: [{ poolId }], findings: [], settled };
    await recordReconciled({ ...database, client })(told);
    expect(await database.db.select().from(reconciliationFinding)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['no pools', { bootId: 'b', vmIds: [], keptVmIds: [] }],
    ['files that are no texts', { bootId: 'b', vmIds: [], keptVmIds: [], pools: [{ poolId: 'x', files: [7] }] }],
    ['no VMs', { bootId: 'b', pools: [], vmIds: null, keptVmIds: [] }],
    ['VMs that are no texts', { bootId: 'b', pools: [], vmIds: [null], keptVmIds: [] }],
  ])('is compared with nothing, and not tried again for ever, when what it has is %s', async (_, nonsense) => {
    const inventory = nonsense as HostInventory;
    await expect(compareInventory({ ...database, client })({ hostId: hostIds.liar, inventory })).rejects.toMatchObject({
      code: 'SLIPWAY_HOST_TOO_OLD',
    });
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['one list of three', { removed: [] }],
    ['a file without a name', { removed: [], inUse: [{ poolId: 'x' }], missing: [] }],
  ])('is not recorded, and not tried again for ever, when what it has done is %s', async (_, nonsense) => {
    const told = { hostId: hostIds.liar, bootId: 'b', findings: [], settled: nonsense as SettledInventory };
    await expect(recordReconciled({ ...database, client })(told)).rejects.toMatchObject({
      code: 'SLIPWAY_HOST_TOO_OLD',
    });
  });

  it('loses no file of a pool that is another host’s', async () => {
    const { db } = database;
    const templateId = await new Scenario({ ...database, client } as ControlPlane).template({ name: 'kept' });
    const copies = Object.values(pools).map(
      ({ poolId }) =>
        ({ poolId, templateId, generation: 1, state: 'Ready', installPath: `${templateId}.g1.e1` }) as const,
    );
    await db.insert(templateSpoolRef).values(copies);
    const missing = copies.map(
      ({ poolId }) => ({ kind: 'lostTemplate', poolId, fileName: `${templateId}.g1.e1` }) as const,
    );
    const empty = copies.map(({ poolId }) => ({ poolId, files: [], recentFiles: [], unreadable: [] }));
    const inventory = { bootId: 'b', pools: empty, vmIds: [], keptVmIds: [] };
    const { settlement, ranges } = await compareInventory({ ...database, client })({ hostId: hostIds.liar, inventory });
    expect(ranges).toMatchObject([{ poolId: pools.liar.poolId }]);
    expect(settlement.missing).toEqual([missing[1]]);
    const settled = { removed: [], inUse: [], missing };
    const poolIds = copies.map(({ poolId }) => poolId);
    const told = { hostId: hostIds.liar, bootId: 'b', poolIds, findings: [], settled };
    await recordReconciled({ ...database, client })(told);
    const rows = await db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
    expect(Object.fromEntries(rows.map(({ poolId, state }) => [poolId, state]))).toEqual({
      [pools.honest.poolId]: 'Ready',
      [pools.liar.poolId]: 'Evicting',
    });
    await db.delete(templateSpoolRef);
  });

  describe('once it was revoked', () => {
    const poolId = pools.liar.poolId;
    let scenario: Scenario;
    let templateId: string;
    beforeAll(async () => {
      scenario = new Scenario({ ...database, client } as ControlPlane);
      templateId = await scenario.template({ name: 'of-the-liar' });
      const [admin] = await database.db.select().from(user).limit(1);
      await revokeHost(database.db, { userId: admin!.id, accountId: admin!.accountId }, hostIds.liar, true);
    });

    const vmOf = async (state: 'Starting' | 'Stopping') => {
      const { vmId, job } = await scenario.vm(templateId);
      const { db } = database;
      const place = { vmId, hostId: hostIds.liar, poolId, token: 2 };
      await db.insert(capacityClaim).values({ ...place, cpuMhz: 500, ramBytes: 10, diskBytes: 0 });
      await db.update(vmInstance).set({ state, fenceToken: 2 }).where(eq(vmInstance.id, vmId));
      const [volume] = await db.select().from(volumes).where(eq(volumes.instanceId, vmId));
      return { vmId, jobId: job.id, placement: { ...place, hostName: 'liar', volumeId: volume!.id } };
    };
    const heldOf = async (vmId: string) => {
      const { db } = database;
      const [vm] = await db.select().from(vmInstance).where(eq(vmInstance.id, vmId));
      const [claim] = await db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId));
      return { state: vm!.state, cpuMhz: claim?.cpuMhz };
    };

    it.each<['Starting' | 'Stopping', string, (vm: Awaited<ReturnType<typeof vmOf>>) => Promise<void>]>([
      [
        'Starting',
        'that it has deployed a VM',
        (vm) => recordRunning({ ...database, client })({ ...vm, volume: { fileName: 'disk', virtualSizeBytes: 1 } }),
      ],
      ['Starting', 'that it has started one', (vm) => recordStarted({ ...database, client })(vm)],
      ['Stopping', 'that it has stopped one', (vm) => recordStopped({ ...database, client })({ ...vm, isOwed: false })],
      [
        'Starting',
        'that it has undone a try',
        ({ vmId }) => releaseClaim({ ...database, client })({ vmId, token: 2, keepsDisk: false }),
      ],
    ])('is not believed: %s, %s', async (state, _, record) => {
      const vm = await vmOf(state);
      await expect(record(vm)).rejects.toMatchObject({ code: 'SLIPWAY_HOST_REVOKED' });
      expect(await heldOf(vm.vmId)).toEqual({ state, cpuMhz: 500 });
    });

    it('may owe what it was asked', async () => {
      const vm = await vmOf('Stopping');
      await recordStopped({ ...database, client })({ ...vm, isOwed: true });
      expect(await heldOf(vm.vmId)).toEqual({ state: 'Stopped', cpuMhz: 500 });
    });

    it('has downloaded nothing, and is asked for no download', async () => {
      const { db } = database;
      const copy = { poolId, templateId, generation: 1, state: 'Downloading', hostId: hostIds.liar, epoch: 1 } as const;
      const [row] = await db.insert(templateSpoolRef).values(copy).returning();
      const spoolRefId = row!.id;
      const installed = { installPath: 'file', virtualSizeBytes: 1, physicalSizeBytes: 1, allocatedBytes: 1 };
      const finish = finishStage({ ...database, client })({
        spoolRefId,
        copy: { templateId, generation: 1, epoch: 1 },
        installed,
      });
      await expect(finish).rejects.toMatchObject({ code: 'SLIPWAY_HOST_REVOKED' });
      expect(await db.select().from(templateSpoolRef)).toMatchObject([{ state: 'Downloading', installPath: null }]);
      const place = { poolId, templateId, generation: 1, preferredHostId: hostIds.liar };
      const input = { spoolRefId, ...place, accountId: row!.id };
      const begun = beginStage({ ...database, client })({ ...input, isPrestaged: false, excludedHostIds: [] });
      expect(await begun).toEqual({ outcome: 'no host' });
    });
  });
});

function ownPool(): PoolPlace {
  return { poolId: crypto.randomUUID(), type: 'Filesystem', path: '/pool' };
}
