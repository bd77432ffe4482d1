import { eq, sql } from 'drizzle-orm';
import type { Client } from '@temporalio/client';
import { openDatabase } from '../../../db/client.js';
import { joinHost } from '../../../db/join-host.js';
import { createJob } from '../../../db/jobs.js';
import { revokeHost } from '../../../db/revoke-host.js';
import {
  capacityClaim,
  cleanupDebt,
  cluster,
  configurationScoped,
  dataCenter,
  host,
  hostPodRef,
  serviceOffering,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  user,
  vmInstance,
} from '../../../db/schema/index.js';
import { readScopedSettings } from '../../../db/scoped-settings.js';
import { writeSettings } from '../../../db/settings.js';
import { createVirtualMachine } from '../../../db/virtual-machines.js';
import { generateKeyPair } from '../../../kvm/keystore/sealed-box.js';
import { defaultSettings, type SettingValues } from '../../../shared/settings.js';
import { vmWorkflowId } from '../../../shared/workflow-ids.js';
import { addTemplate } from '../../../tests/support/add-template.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { waitFor } from '../../../tests/support/wait-for.js';
import { factorsOf } from '../planner/factors.js';
import { type ClaimHostInput, claimHost, type ClaimHostResult } from './claim-host.js';
import type { Transaction } from '../dependencies.js';
import { type ClaimRules, releaseCapacity, takeCapacity, takeComputeForDisk, type Taking } from './capacity.js';

const GiB = 1024 ** 3;
/** The offering takes 500 MHz and 512 MiB. */
const HOST = { status: 'Up', cpus: 2, speedMhz: 1000, ramBytes: 2 * GiB } as const;

describe('claimHost', () => {
  let database: TestDatabase;
  let owner: { accountId: string; userId: string };
  let templateId: string;
  let hostIds: string[];
  let vms: ClaimHostInput[];

  beforeEach(async () => {
    database = await createTestDatabase();
    const [admin] = await database.db.select().from(user).limit(1);
    owner = { accountId: admin!.accountId, userId: admin!.id };
    templateId = await addTemplate(database, owner, { sizeBytes: GiB });
    hostIds = [];
  });
  afterEach(() => database.drop());

  async function addHosts(names: string[], poolId?: string): Promise<void> {
    const { db, databaseUrl, seeded } = database;
    for (const name of names) {
      const { publicKey } = await generateKeyPair();
      const pool = { poolId: poolId ?? crypto.randomUUID(), path: '/pool' };
      const type = poolId ? 'NetworkFilesystem' : 'Filesystem';
      const pools = [{ ...pool, type } as const];
      const { hostId } = await joinHost(databaseUrl, { name, clusterId: seeded.clusterId, publicKey, pools });
      hostIds.push(hostId);
    }
    await db.update(host).set(HOST);
    await db.update(storagePool).set({ capacityBytes: 100 * GiB });
  }

  async function addVms(count: number): Promise<void> {
    const { db, seeded } = database;
    const [offering] = await db.select().from(serviceOffering).where(eq(serviceOffering.ramMb, 512));
    vms = [];
    for (let n = 0; n < count; n++) {
      const { id: vmId } = await createVirtualMachine(db, {
        accountId: owner.accountId,
        zoneId: seeded.zoneId,
        templateId,
        serviceOfferingId: offering!.id,
      });
      const job = { jobCmd: 'deployVirtualMachine', workflowType: 'deployVirtualMachine' };
      const instance = { instanceType: 'VirtualMachine', instanceId: vmId };
      const { id: jobId } = await createJob(db, {
        ...owner,
        ...job,
        ...instance,
        workflowId: vmWorkflowId(vmId),
        workflowInput: {},
      });
      vms.push({ vmId, jobId, excludedHostIds: [] });
    }
  }

  async function poolOf(hostId: string): Promise<string> {
    const [place] = await database.db.select().from(storagePoolHostRef).where(eq(storagePoolHostRef.hostId, hostId));
    return place!.poolId;
  }

  const claim = (input: ClaimHostInput): Promise<ClaimHostResult> =>
    // There is nothing to evict, and so nothing that would be asked of Temporal.
    claimHost({ ...database, client: {} as Client })(input);

  const somebodyWaits = () =>
    waitFor('somebody waits for another', async () => {
      const [row] = await database.db.execute<{ waiting: number }>(sql`
        select count(*)::int as waiting from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()`);
      return row!.waiting === 1;
    });

  const sumOf = (results: ClaimHostResult[], outcome: ClaimHostResult['outcome']): number =>
    results.filter((result) => result.outcome === outcome).length;

  /** Of the hosts, and of what the claims add up to. */
  async function used() {
    const hosts = await database.db.select().from(host);
    const [claimed] = await database.db
      .select({
        cpu: sql`coalesce(sum(cpu_mhz), 0)`.mapWith(Number),
        ram: sql`coalesce(sum(ram_bytes), 0)`.mapWith(Number),
      })
      .from(capacityClaim);
    const sum = hosts.reduce(
      (all, { cpuUsedMhz, ramUsedBytes }) => [all[0]! + cpuUsedMhz, all[1]! + ramUsedBytes],
      [0, 0],
    );
    expect([claimed!.cpu, claimed!.ram]).toEqual(sum);
    return hosts;
  }

  it.each<[string, Partial<SettingValues>, number]>([
    ['as it is', {}, 4],
    ['with more CPU promised, as far as memory goes', { 'cpu.overprovisioning.factor': '10' }, 4],
    ['with more of both promised', { 'cpu.overprovisioning.factor': '2', 'mem.overprovisioning.factor': '1.5' }, 6],
  ])('never gives more of a host away than there is, to many at once: %s', async (_, settings, fit) => {
    await addHosts(['host-1', 'host-2'], crypto.randomUUID());
    await writeSettings(database.db, settings);
    await addVms(2 * fit + 4);
    const results = await Promise.all(vms.map(claim));
    expect([sumOf(results, 'claimed'), sumOf(results, 'no host')]).toEqual([2 * fit, 4]);
    for (const { ramUsedBytes, cpuUsedMhz } of await used()) {
      expect([ramUsedBytes, cpuUsedMhz]).toEqual([fit * 0.5 * GiB, fit * 500]);
    }
    expect(results.find(({ outcome }) => outcome === 'no host')).toMatchObject({ returnsWithinMs: 0 });
  });

  it('has its large statements planned once, and not for each claim', async () => {
    await addHosts(['host-1', 'host-2']);
    await addVms(3);
    const { db, close } = openDatabase(database.databaseUrl, { applicationName: 'slipway-test', max: 1 });
    try {
      for (const vm of vms) await claimHost({ ...database, db, client: {} as Client })(vm);
      const plans = await db.execute(sql`
        select custom_plans::int as custom, generic_plans::int as generic from pg_prepared_statements
        where statement like '%as "zoneState"%'`);
      expect(plans).toEqual([{ custom: 0, generic: 3 }]);
    } finally {
      await close();
    }
  });

  it('goes by the factors of the cluster of a host and of a pool, whatever counts for all', async () => {
    await addHosts(['host-1', 'host-2', 'host-3']);
    const { db, seeded } = database;
    const [{ podId, dataCenterId }] = (await db.select().from(cluster)) as [typeof cluster.$inferSelect];
    const [full] = await db.insert(cluster).values({ name: 'full', podId, dataCenterId }).returning();
    await db.update(host).set({ clusterId: full!.id }).where(eq(host.name, 'host-3'));
    const poolIds = await Promise.all(hostIds.map(poolOf));
    // Room for one whole disk of 1 GiB beside the template.
    await db.update(storagePool).set({ capacityBytes: 2 * GiB, templateBytes: 0 });
    await writeSettings(db, { 'cpu.overprovisioning.factor': '10', 'storage.overprovisioning.factor': '1' });
    await db.insert(configurationScoped).values([
      { name: 'cpu.overprovisioning.factor', value: '1', clusterId: seeded.clusterId },
      { name: 'mem.overprovisioning.factor', value: '4', clusterId: full!.id },
      { name: 'storage.overprovisioning.factor', value: '9', poolId: poolIds[1]! },
      { name: 'storage.overprovisioning.factor', value: '9', poolId: poolIds[2]! },
      { name: 'create.full.clone', value: 'true', poolId: poolIds[2]! },
    ]);
    await db
      .insert(templateSpoolRef)
      .values(
        poolIds.map((poolId) => ({ poolId, templateId, generation: 1, state: 'Ready', installPath: 'file' }) as const),
      );
    // More than all of them take: which goes where is chance, since a host that is being claimed counts as full.
    await addVms(24);
    const results = await Promise.all(vms.map(claim));
    // 2 GiB of its pool; 2 GHz; 2 GiB of memory, four times.
    const loads = (await used())
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ cpuUsedMhz }) => cpuUsedMhz / 500);
    expect([loads, sumOf(results, 'no host')]).toEqual([[2, 4, 16], 2]);
    for (const result of results) {
      if (result.outcome !== 'claimed') continue;
      const { poolId, rootDisk } = result.deployment;
      expect(rootDisk.isCopy).toBe(poolId === poolIds[2]);
    }
  });

  it('promises no more of a cluster and of a pool than their thresholds let it', async () => {
    await addHosts(['host-1', 'host-2']);
    const { db, seeded } = database;
    const [first, second] = (await Promise.all(hostIds.map(poolOf))) as [string, string];
    await db.insert(configurationScoped).values([
      { name: 'cluster.memory.allocated.capacity.disablethreshold', value: '0.75', clusterId: seeded.clusterId },
      { name: 'pool.storage.allocated.capacity.disablethreshold', value: '0.03', zoneId: seeded.zoneId },
      { name: 'pool.storage.allocated.capacity.disablethreshold', value: '1', poolId: second },
      { name: 'pool.storage.capacity.disablethreshold', value: '0.9', zoneId: seeded.zoneId },
    ]);
    const claims: ClaimHostResult[] = [];
    await addVms(8);
    for (const vm of vms) claims.push(await claim(vm));
    // 2 GiB of memory each, three quarters of both; 3 GiB of the first pool, less the template, twice.
    expect(sumOf(claims, 'claimed')).toBe(6);
    expect(claims.at(-1)).toMatchObject({
      refused: expect.arrayContaining([
        expect.objectContaining({
          reason: 'is in a cluster that may promise no more than 0 MiB of memory, and 512 are needed',
        }),
      ]) as unknown,
    });
    const poolOfId = async (id: string) => (await db.select().from(storagePool).where(eq(storagePool.id, id)))[0]!;
    expect((await poolOfId(first)).allocatedBytes).toBeLessThanOrEqual(4 * GiB);
    // Both are full for whoever comes next: somebody else's files take what may be in use.
    await db.delete(configurationScoped).where(eq(configurationScoped.clusterId, seeded.clusterId));
    await db.update(storagePool).set({ usedBytes: 89 * GiB });
    expect(await claim(vms.at(-1)!)).toMatchObject({
      outcome: 'no host',
      refused: expect.arrayContaining([
        expect.objectContaining({ reason: expect.stringMatching(/has 1024 MiB free, and 1536 are needed/) as string }),
      ]) as unknown,
    });
  });

  describe('of a cluster that may promise less than its hosts have', () => {
    /** Half a GiB each, of a quarter of eight. */
    const MOST = 4;
    const cpuMhz = 500;
    const ramBytes = 0.5 * GiB;
    let rules: ClaimRules;

    beforeEach(async () => {
      const { db, seeded } = database;
      await addHosts(['host-1', 'host-2', 'host-3', 'host-4']);
      const threshold = { name: 'cluster.memory.allocated.capacity.disablethreshold', value: '0.25' } as const;
      await db.insert(configurationScoped).values({ ...threshold, clusterId: seeded.clusterId });
      const settings = await readScopedSettings(db, seeded.zoneId);
      const { zoneId, clusterId } = seeded;
      rules = { factors: factorsOf(settings.at({ zoneId, clusterId })), mayWait: true };
    });

    const start = async (vmId: string, hostId: string) => {
      const claimed = { vmId, token: 4, hostId, poolId: await poolOf(hostId), cpuMhz, ramBytes };
      return database.db.transaction((tx) => takeComputeForDisk(tx, claimed, rules));
    };

    it('gives no more away to many deployments at once, and says to the others that they were too late', async () => {
      await addVms(3 * MOST);
      const results = await Promise.all(vms.map(claim));
      expect([sumOf(results, 'claimed'), sumOf(results, 'no host')]).toEqual([MOST, 2 * MOST]);
      for (const result of results) if (result.outcome === 'no host') expect(result.refused).toHaveLength(4);
      expect((await used()).reduce((sum, { ramUsedBytes }) => sum + ramUsedBytes, 0)).toBe(MOST * ramBytes);
    });

    it('gives no more away to many starts at once', async () => {
      await addVms(3 * MOST);
      const results = await Promise.all(vms.map(({ vmId }, n) => start(vmId, hostIds[n % hostIds.length]!)));
      expect(results.filter((taking) => taking === 'taken')).toHaveLength(MOST);
      expect((await used()).reduce((sum, { ramUsedBytes }) => sum + ramUsedBytes, 0)).toBe(MOST * ramBytes);
    });

    it('sees what another one is taking from another host at the same moment', async () => {
      const { db } = database;
      await addVms(MOST + 1);
      const [late, last] = [vms.pop()!, vms.pop()!];
      for (const vm of vms) expect(await claim(vm)).toMatchObject({ outcome: 'claimed' });
      const take = async (tx: Transaction, { vmId }: ClaimHostInput, hostId: string) =>
        takeCapacity(
          tx,
          { vmId, token: 2, hostId, poolId: await poolOf(hostId), cpuMhz, ramBytes, diskBytes: 0 },
          rules,
        );
      let taking: Promise<Taking> | undefined;
      await db.transaction(async (tx) => {
        expect(await take(tx, last, hostIds[0]!)).toBe('taken');
        taking = db.transaction((other) => take(other, late, hostIds[1]!));
        await somebodyWaits();
      });
      expect(await taking).toBe('cluster full');
      expect((await used()).reduce((sum, { ramUsedBytes }) => sum + ramUsedBytes, 0)).toBe(MOST * ramBytes);
    });

    it('takes a host of another cluster when it is too late for this one', async () => {
      const { db } = database;
      const [{ podId, dataCenterId }] = (await db.select().from(cluster)) as [typeof cluster.$inferSelect];
      const [free] = await db.insert(cluster).values({ name: 'free', podId, dataCenterId }).returning();
      await db.update(host).set({ clusterId: free!.id }).where(eq(host.name, 'host-4'));
      // A quarter of six GiB, and two of its own.
      await addVms(8);
      const results = await Promise.all(vms.map(claim));
      expect([sumOf(results, 'claimed'), sumOf(results, 'no host')]).toEqual([7, 1]);
      const loads = (await used()).toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((row) => row.cpuUsedMhz / cpuMhz);
      expect([loads.slice(0, 3).reduce((sum, load) => sum + load, 0), loads[3]]).toEqual([3, 4]);
    });

    it('keeps nobody waiting for a start that itself waits for something', async () => {
      const { db } = database;
      await addVms(2);
      const [stopped, other] = vms as [ClaimHostInput, ClaimHostInput];
      const [first, second] = hostIds as [string, string];
      const poolId = await poolOf(first);
      const isStopped = { vmId: stopped.vmId, hostId: second, poolId, token: 2, cpuMhz: 0, ramBytes: 0, diskBytes: 0 };
      await db.insert(capacityClaim).values(isStopped);
      let starting: Promise<Taking> | undefined;
      // As whoever removes a host that the VM was on before: it has the claims there, and waits for the host then.
      await db.transaction(async (removal) => {
        await removal.select().from(capacityClaim).for('update');
        starting = start(stopped.vmId, first);
        await somebodyWaits();
        expect(await start(other.vmId, second)).toBe('taken');
        await removal.select().from(host).where(eq(host.id, second)).for('no key update');
      });
      expect(await starting).toBe('taken');
    });

    it('waits for nobody who has the row of the cluster, as a first hello that waits for a pool may', async () => {
      const { db } = database;
      await addVms(1);
      await db.transaction(async (hello) => {
        await hello.select().from(cluster).for('update');
        expect(await claim(vms[0]!)).toMatchObject({ outcome: 'claimed' });
      });
    });

    it('adds nothing when the threshold is lowered under what is promised, and says why', async () => {
      const { db } = database;
      await addVms(MOST);
      const late = vms.pop()!;
      for (const vm of vms) expect(await claim(vm)).toMatchObject({ outcome: 'claimed' });
      await db.update(configurationScoped).set({ value: '0.1' });
      const reason = 'is in a cluster that may promise no more than 0 MiB of memory, and 512 are needed';
      const refused = hostIds.map(() => expect.objectContaining({ reason }) as unknown);
      expect(await claim(late)).toMatchObject({ outcome: 'no host', refused, returnsWithinMs: 0 });
    });

    it('leaves those to others that it was too late for', async () => {
      const { db } = database;
      await addVms(MOST + 1);
      const late = vms.pop()!;
      for (const vm of vms) await claim(vm);
      const poolId = await poolOf(hostIds[0]!);
      const wanted = { vmId: late.vmId, token: 2, hostId: hostIds[0]!, poolId, cpuMhz, ramBytes, diskBytes: 0 };
      const before = await used();
      await db.transaction(async (planner) => {
        expect(await takeCapacity(planner, wanted, rules)).toBe('cluster full');
        const free = await db.select().from(host).for('no key update', { skipLocked: true });
        expect(free).toHaveLength(4);
        expect(await start(vms[0]!.vmId, hostIds[1]!)).toBe('cluster full');
      });
      expect(await used()).toEqual(before);
    });
  });

  it.each([
    ['zone', dataCenter],
    ['pod', hostPodRef],
    ['cluster', cluster],
  ] as const)('claims nothing in a %s that is disabled, and says so', async (place, table) => {
    await addHosts(['host-1']);
    await addVms(1);
    await database.db.update(table).set({ allocationState: 'Disabled' });
    expect(await claim(vms[0]!)).toMatchObject({
      outcome: 'no host',
      refused: [{ hostName: 'host-1', reason: `is in a ${place} that is Disabled` }],
    });
  });

  it('adds nothing and takes nothing away when a factor is lowered under what is promised', async () => {
    await addHosts(['host-1']);
    await writeSettings(database.db, { 'cpu.overprovisioning.factor': '2', 'mem.overprovisioning.factor': '2' });
    await addVms(9);
    const late = vms.pop()!;
    expect(sumOf(await Promise.all(vms.map(claim)), 'claimed')).toBe(8);
    await writeSettings(database.db, { 'cpu.overprovisioning.factor': '1', 'mem.overprovisioning.factor': '1' });
    expect(await claim(late)).toMatchObject({
      outcome: 'no host',
      refused: [{ hostName: 'host-1', reason: 'has 0 MHz free, and 500 are needed' }],
    });
    for (const { vmId } of vms) await database.db.transaction((tx) => releaseCapacity(tx, vmId, 2));
    expect(await used()).toMatchObject([{ cpuUsedMhz: 0, ramUsedBytes: 0 }]);
    expect(await claim(late)).toMatchObject({ outcome: 'claimed' });
  });

  it('goes on at another host when the one that it has claimed is revoked before it gets an order', async () => {
    const { db } = database;
    await addHosts(['host-1', 'host-2']);
    await addVms(1);
    const first = await claim(vms[0]!);
    if (first.outcome !== 'claimed') throw new Error(first.outcome);
    const { hostId, token } = first.deployment;
    await revokeHost(db, owner, hostId, true);
    const second = await claim(vms[0]!);
    expect(second).toMatchObject({ outcome: 'claimed', deployment: { hostId: hostIds.find((id) => id !== hostId) } });
    expect(await db.select().from(cleanupDebt)).toMatchObject([{ hostId, token, keepsDisk: false }]);
  });

  it('leaves a host that it waited for in vain to others, while it looks at more', async () => {
    await addHosts(['host-1']);
    await addVms(1);
    const { db } = database;
    const [hostId] = hostIds as [string];
    const [pool] = await db.select().from(storagePool);
    const factors = factorsOf(defaultSettings());
    const wanted = { vmId: vms[0]!.vmId, token: 2, hostId, poolId: pool!.id, cpuMhz: 500, ramBytes: GiB, diskBytes: 0 };
    await db.transaction(async (planner) => {
      let letGo = (): void => undefined;
      let tellFull = (): void => undefined;
      const isWaitedFor = new Promise<void>((resolve) => (letGo = resolve));
      const isFull = new Promise<void>((resolve) => (tellFull = resolve));
      const filling = db.transaction(async (other) => {
        await other.update(host).set({ cpuUsedMhz: 2000 }).where(eq(host.id, hostId));
        tellFull();
        await isWaitedFor;
      });
      await isFull;
      const taking = takeCapacity(planner, wanted, { factors, mayWait: true });
      await somebodyWaits();
      letGo();
      await filling;
      expect(await taking).toBe('place full');
      const isHost = eq(host.id, hostId);
      await db.transaction(async (third) => {
        const free = await third.select().from(host).where(isHost).for('no key update', { skipLocked: true });
        expect(free).toHaveLength(1);
      });
    });
  });

  it('leaves a VM that is being stopped where it is when a host pays for an earlier try of it', async () => {
    await addHosts(['host-1']);
    await addVms(1);
    const [{ vmId }] = vms as [ClaimHostInput];
    const { db } = database;
    await claim(vms[0]!);
    await db.update(vmInstance).set({ state: 'Stopping', hostId: hostIds[0]!, fenceToken: 4 });
    await db.transaction((tx) => releaseCapacity(tx, vmId, 2));
    // If the stop fails it is Running again, and is started nowhere else.
    expect(await db.select().from(vmInstance)).toMatchObject([{ state: 'Stopping', hostId: hostIds[0]! }]);
  });

  it('passes over a host that somebody is claiming at the moment, while another one is as good', async () => {
    await addHosts(['host-1', 'host-2']);
    await addVms(4);
    const [taken, free] = hostIds as [string, string];
    await database.db.transaction(async (other) => {
      await other.select().from(host).where(eq(host.id, taken)).for('no key update');
      // Each would begin with either of the two, as chance has it.
      for (const vm of vms) expect(await claim(vm)).toMatchObject({ deployment: { hostId: free } });
    });
  });

  it('spreads what comes at once over hosts that are equal', async () => {
    await addHosts(Array.from({ length: 8 }, (_, n) => `host-${n}`));
    await addVms(16);
    expect(sumOf(await Promise.all(vms.map(claim)), 'claimed')).toBe(16);
    // Two each would be perfect. Five at a time see the same figures: on the host that is best by these, all five would fill
    // four of the eight.
    expect((await used()).filter(({ cpuUsedMhz }) => cpuUsedMhz > 0).length).toBeGreaterThanOrEqual(6);
  });

  it('gives no more of a pool away than there is, and no CPU of a host for that', async () => {
    const poolId = crypto.randomUUID();
    await addHosts(['host-1', 'host-2'], poolId);
    // The template counts once, each disk half of its size.
    await database.db.update(storagePool).set({ capacityBytes: 2.5 * GiB, templateBytes: GiB });
    const copy = { poolId, templateId, generation: 1, state: 'Ready', installPath: 'file' } as const;
    await database.db.insert(templateSpoolRef).values(copy);
    await addVms(6);
    const results = await Promise.all(vms.map(claim));
    expect([sumOf(results, 'claimed'), sumOf(results, 'no host')]).toEqual([3, 3]);
    await used();
    expect((await database.db.select().from(storagePool))[0]!.allocatedBytes).toBe(3 * GiB);
  });

  it('takes the host that was asked for, and no other', async () => {
    await addHosts(['host-1', 'host-2']);
    await addVms(2);
    const within = { hostId: hostIds[1]! };
    expect(await claim({ ...vms[0]!, within })).toMatchObject({ deployment: { hostName: 'host-2' } });
    await database.db.update(host).set({ resourceState: 'Maintenance' }).where(eq(host.id, within.hostId));
    expect(await claim({ ...vms[1]!, within })).toMatchObject({
      outcome: 'no host',
      refused: [{ hostName: 'host-2', reason: 'is in resource state Maintenance' }],
    });
    expect(await claim({ ...vms[1]!, within: { clusterId: crypto.randomUUID() } })).toMatchObject({ refused: [] });
  });

  it('goes by the tags of the offering', async () => {
    await addHosts(['host-1', 'host-2']);
    await addVms(1);
    await database.db.update(serviceOffering).set({ hostTags: ['gpu'], storageTags: ['ssd'] });
    expect(await claim(vms[0]!)).toMatchObject({ outcome: 'no host' });
    await database.db
      .update(host)
      .set({ tags: ['gpu', 'new'] })
      .where(eq(host.id, hostIds[1]!));
    await database.db.update(storagePool).set({ tags: ['ssd'] });
    expect(await claim(vms[0]!)).toMatchObject({ deployment: { hostName: 'host-2' } });
  });

  it('answers with the claim that is there already', async () => {
    await addHosts(['host-1', 'host-2']);
    await addVms(1);
    const first = await claim(vms[0]!);
    expect(first).toMatchObject({ outcome: 'claimed', deployment: { token: 2 } });
    const { deployment } = first as Extract<ClaimHostResult, { outcome: 'claimed' }>;
    expect(await claim(vms[0]!)).toMatchObject({ deployment: { hostId: deployment.hostId, token: 2 } });
    expect(await database.db.select().from(capacityClaim)).toHaveLength(1);
  });
});
