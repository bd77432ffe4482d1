import type { Client } from '@temporalio/client';
import { and, eq, gt, isNull, sql } from 'drizzle-orm';
import { createJob } from '../../../db/jobs.js';
import { joinHost } from '../../../db/join-host.js';
import {
  asyncJob,
  capacityClaim,
  cleanupDebt,
  host,
  JOB_STATUS,
  storagePool,
  templateSpoolRef,
  user,
  vmInstance,
  volumes,
} from '../../../db/schema/index.js';
import { recoverDestroyed } from '../../../db/virtual-machines.js';
import { generateKeyPair } from '../../../kvm/keystore/sealed-box.js';
import { isSlipwayError } from '../../../shared/errors.js';
import { Random } from '../../../tests/soak/random.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import {
  type Script,
  type SimulatedOperations,
  simulateOperations,
} from '../../../tests/support/simulate-operations.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { isDead, isLeftAlone } from './remove-volume.js';
import { createControlActivities } from '../index.js';

const GiB = 1024 ** 3;
const ROUNDS = 150;
const AT_ONCE = 4;
const VMS = 8;

/**
 * Operations in any order, several at once, each activity of the control worker now and then twice (its answer was lost),
 * hosts that refuse or fall silent, workflows that are terminated between any two activities.
 */
describe.each([1, 2])('whatever is done (%#), what hosts and pools count', (seed) => {
  let database: TestDatabase;
  let scenario: Scenario;
  let operations: SimulatedOperations;
  let owner: typeof user.$inferSelect;
  const sharedPoolId = crypto.randomUUID();
  const random = new Random(seed);
  const chance = (share: number): boolean => random.next() < share;

  beforeAll(async () => {
    database = await createTestDatabase();
    const client = { workflow: { getHandle: () => ({ signal: () => Promise.resolve() }) } } as unknown as Client;
    scenario = new Scenario({ ...database, client } as ControlPlane);
    operations = simulateOperations(createControlActivities({ ...database, client }), random);
    [owner] = (await database.db.select().from(user).limit(1)) as [typeof owner];
  });
  afterAll(() => database.drop());

  /** What the next step of a VM may be. */
  async function begin(vmId: string): Promise<{ script: Script; isRepaired: boolean } | undefined> {
    const vm = await scenario.vmRow(vmId);
    const job = async (type: string, input = {}) => (await scenario.job(type, vmId, input)).id;
    const expunge = chance(0.3);
    if (vm.state === 'Destroyed' && chance(0.7)) {
      await recoverDestroyed(database.db, vmId).catch(() => undefined);
      return undefined;
    }
    if (vm.state === 'Destroyed' || vm.state === 'Error' || chance(0.15)) {
      const jobId = await job('destroyVirtualMachine', { expunge });
      return { script: operations.destroy(vmId, jobId, expunge), isRepaired: false };
    }
    const types = vm.state === 'Running' ? (['stopVirtualMachine', 'restoreVirtualMachine'] as const) : undefined;
    const type = random.pick(types ?? (['startVirtualMachine', 'restoreVirtualMachine'] as const))!;
    const isToRun = vm.state === 'Running';
    return { script: operations.operate(type, vmId, await job(type, { isToRun }), isToRun), isRepaired: true };
  }

  /** With a shared pool. */
  async function addHosts(count: number): Promise<void> {
    const { db, databaseUrl, seeded } = database;
    for (let n = 0; n < count; n++) {
      const pools = [{ poolId: sharedPoolId, type: 'NetworkFilesystem', path: '/pool' } as const];
      const { publicKey } = await generateKeyPair();
      const name = `host-${crypto.randomUUID()}`;
      const { hostId } = await joinHost(databaseUrl, { name, clusterId: seeded.clusterId, publicKey, pools });
      const facts = { status: 'Up', cpus: 2, speedMhz: 1000, ramBytes: 2 * GiB } as const;
      await db.update(host).set(facts).where(eq(host.id, hostId));
    }
    await db.update(storagePool).set({ capacityBytes: 100 * GiB });
  }

  async function isRemoved(hostId: string): Promise<boolean> {
    const removal = { hostId, isForced: true, accountId: owner.accountId, userId: owner.id };
    try {
      await operations.does('removeHost', removal);
      return true;
    } catch (error) {
      // In use.
      if (isSlipwayError(error)) return false;
      throw error;
    }
  }

  /** An operator vouches for a host, takes that back, or gives up on it. */
  async function changeHost(): Promise<void> {
    const { db } = database;
    const self = random.pick(await db.select().from(host).where(isNull(host.removed)).orderBy(host.name));
    if (!self) return;
    const isSelf = eq(host.id, self.id);
    if (self.resourceState === 'Degraded') {
      if (chance(0.5) && (await isRemoved(self.id))) await addHosts(1);
      else await db.update(host).set({ resourceState: 'Enabled', status: 'Up' }).where(isSelf);
      return;
    }
    await db.update(host).set({ status: 'Down' }).where(isSelf);
    const instance = { instanceType: 'Host', instanceId: self.id, workflowInput: {} };
    const work = { jobCmd: 'declareHostAsDegraded', workflowType: 'declareHostAsDegraded', workflowId: self.id };
    const { id: jobId } = await createJob(db, { accountId: owner.accountId, userId: owner.id, ...work, ...instance });
    await operations.does('takeForStopped', { hostId: self.id, jobId, isFirstLook: true });
    await operations.does('recordHostJobDone', { hostId: self.id, jobId, result: {} });
  }

  /** What happens by itself: a host pays, a dead disk is removed. */
  async function happen(): Promise<void> {
    const { db } = database;
    if (chance(0.25)) await changeHost();
    if (chance(0.4)) {
      const debt = random.pick(await db.select().from(cleanupDebt).orderBy(cleanupDebt.vmId, cleanupDebt.token));
      if (debt) await operations.does('releaseClaim', debt);
    }
    const dead = await db
      .select()
      .from(volumes)
      .where(and(isDead, isLeftAlone(db)))
      .limit(1);
    if (dead[0]) await operations.does('recordVolumeRemoved', { volumeId: dead[0].id });
  }

  it('is what VMs hold of them', async () => {
    const { db } = database;
    await addHosts(4);
    const templateId = await scenario.template();
    for (const { id: poolId } of await db.select().from(storagePool)) {
      const copy = { poolId, templateId, generation: 1, state: 'Ready', installPath: 'file' } as const;
      await db.insert(templateSpoolRef).values(copy);
    }
    const working = new Map<string, { script: Script; isRepaired: boolean }>();
    for (let n = 0; n < VMS; n++) {
      const { vmId, job } = await scenario.vm(templateId);
      working.set(vmId, { script: operations.deploy(vmId, job.id), isRepaired: true });
    }
    const vmIds = [...working.keys()];
    async function advance(vmId: string): Promise<void> {
      if ((await scenario.vmRow(vmId)).state === 'Expunged' && !working.has(vmId)) {
        const { vmId: next, job } = await scenario.vm(templateId);
        vmIds[vmIds.indexOf(vmId)] = next;
        working.set(next, { script: operations.deploy(next, job.id), isRepaired: true });
        return;
      }
      const work = working.get(vmId) ?? (await begin(vmId));
      if (!work) return;
      working.set(vmId, work);
      if (work.isRepaired && chance(0.1)) {
        // Terminated: nothing of it goes on.
        const isRunning = and(eq(asyncJob.instanceId, vmId), eq(asyncJob.jobStatus, JOB_STATUS.inProgress));
        const [job] = await db.select().from(asyncJob).where(isRunning);
        if (job) working.set(vmId, { script: operations.repair(vmId, job.id, job.workflowInput), isRepaired: true });
        return;
      }
      if ((await work.script.next()).done) working.delete(vmId);
    }
    for (let round = 0; round < ROUNDS; round++) {
      const chosen = new Set(Array.from({ length: AT_ONCE }, () => random.pick(vmIds)!));
      await Promise.all([...[...chosen].map(advance), happen()]);
      expect(await differences()).toEqual([]);
    }
  }, 120_000);

  async function differences(): Promise<object[]> {
    const { db } = database;
    const claimed = (what: unknown) => sql`coalesce((select sum(${what}) from ${capacityClaim}`;
    const hosts = await db
      .select({ name: host.name, cpu: host.cpuUsedMhz, ram: host.ramUsedBytes })
      .from(host)
      .where(
        sql`${host.cpuUsedMhz} <> ${claimed(capacityClaim.cpuMhz)} where host_id = ${host.id}), 0)
          or ${host.ramUsedBytes} <> ${claimed(capacityClaim.ramBytes)} where host_id = ${host.id}), 0)`,
      );
    const pools = await db
      .select({ name: storagePool.name, allocated: storagePool.allocatedBytes })
      .from(storagePool)
      .where(
        sql`${storagePool.allocatedBytes} <> ${claimed(capacityClaim.diskBytes)} where pool_id = ${storagePool.id}), 0)
          + coalesce((select sum(reserved_bytes) from ${volumes} where pool_id = ${storagePool.id}), 0)`,
      );
    const isClaim = and(eq(capacityClaim.vmId, cleanupDebt.vmId), eq(capacityClaim.token, cleanupDebt.token));
    const lostDebts = await db
      .select({ debt: cleanupDebt })
      .from(cleanupDebt)
      .leftJoin(capacityClaim, and(isClaim, eq(capacityClaim.hostId, cleanupDebt.hostId)))
      .where(isNull(capacityClaim.vmId));
    const twice = await db
      .select({ vm: capacityClaim.vmId, hosts: sql`count(*)` })
      .from(capacityClaim)
      .innerJoin(vmInstance, eq(vmInstance.id, capacityClaim.vmId))
      .leftJoin(cleanupDebt, isClaim)
      .where(and(gt(capacityClaim.cpuMhz, 0), isNull(cleanupDebt.vmId)))
      .groupBy(capacityClaim.vmId)
      .having(sql`count(*) > 1`);
    return [...hosts, ...pools, ...lostDebts, ...twice];
  }
});
