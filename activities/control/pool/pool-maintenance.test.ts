import type { Client } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { joinHost } from '../../../db/join-host.js';
import { createJob } from '../../../db/jobs.js';
import {
  capacityClaim,
  host,
  storagePool,
  templateSpoolRef,
  user,
  vmInstance,
  volumes,
} from '../../../db/schema/index.js';
import { defaultSettings } from '../../../shared/settings.js';
import { poolStateWorkflowId } from '../../../shared/workflow-ids.js';
import { addTemplate } from '../../../tests/support/add-template.js';
import { gate } from '../../../tests/support/gate.js';
import type { ControlPlane } from '../../../tests/support/control-plane.js';
import { Scenario } from '../../../tests/support/scenario.js';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/test-database.js';
import { waitFor } from '../../../tests/support/wait-for.js';
import { factorsOf } from '../planner/factors.js';
import { findTemplate, lockCopy } from '../template/lock-copy.js';
import { planReconciliation } from '../reconcile/reconcile.js';
import { beginEviction } from '../template/evict.js';
import { takeComputeForDisk } from '../virtual-machine/capacity.js';
import { beginPoolMaintenance, drainPool } from './drain-pool.js';

/** What races with the beginning of maintenance either comes first and is seen, or comes too late and is refused. */
describe('maintenance of a pool', () => {
  const poolId = crypto.randomUUID();
  const factors = factorsOf(defaultSettings());
  let database: TestDatabase;
  let owner: typeof user.$inferSelect;
  let templateId: string;
  let hostId: string;
  let vmId: string;
  let job: { poolId: string; jobId: string };
  // There is no Temporal: the sweeper would start what could not be started.
  const client = { workflow: { start: () => Promise.reject(new Error('away')) } } as unknown as Client;
  const dependencies = () => ({ ...database, client });

  beforeEach(async () => {
    database = await createTestDatabase();
    const { db, databaseUrl, seeded } = database;
    [owner] = (await db.select().from(user).limit(1)) as [typeof owner];
    templateId = await addTemplate(database, owner, { sizeBytes: 100 });
    const pools = [{ poolId, type: 'NetworkFilesystem' as const, path: '/pool' }];
    ({ hostId } = await joinHost(databaseUrl, { name: 'host-1', clusterId: seeded.clusterId, publicKey: 'k', pools }));
    await db.update(host).set({ status: 'Up', cpus: 4, speedMhz: 1000, ramBytes: 1000 });
    await db.update(storagePool).set({ capacityBytes: 10_000 });
    ({ vmId } = await new Scenario({ ...database, client } as unknown as ControlPlane).vm(templateId));
    await db.update(vmInstance).set({ state: 'Stopped' }).where(eq(vmInstance.id, vmId));
    await db.update(volumes).set({ poolId }).where(eq(volumes.instanceId, vmId));
    const jobId = crypto.randomUUID();
    await createJob(db, {
      id: jobId,
      accountId: owner.accountId,
      userId: owner.id,
      jobCmd: 'enableStorageMaintenance',
      workflowType: 'enableStorageMaintenance',
      workflowId: poolStateWorkflowId(poolId),
      workflowInput: {},
      instanceType: 'StoragePool',
      instanceId: poolId,
    });
    job = { poolId, jobId };
  });
  afterEach(() => database.drop());

  const begin = () => beginPoolMaintenance(dependencies())(job);
  const drain = () => drainPool(dependencies())(job);
  const start = () => ({ vmId, token: 10, hostId, poolId, cpuMhz: 500, ramBytes: 10 });
  const rules = { factors, mayWait: true };

  it('waits for a start that has its claim, and sees it', async () => {
    const { opened, open } = gate();
    const { opened: claimed, open: isClaimed } = gate();
    const starting = database.db.transaction(async (tx) => {
      expect(await takeComputeForDisk(tx, start(), rules)).toBe('taken');
      isClaimed();
      await opened;
    });
    await claimed;
    let hasBegun = false;
    const beginning = begin().then(() => (hasBegun = true));
    const isWaiting = async (): Promise<boolean> => {
      const [row] = await database.db.execute<{ count: string }>(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
      );
      return row!.count === '1';
    };
    await waitFor('it waits', isWaiting);
    expect(hasBegun).toBe(false);
    open();
    await Promise.all([starting, beginning]);
    expect(await drain()).toMatchObject({ virtualMachines: [{ id: vmId }] });
  });

  it('refuses a start that has read that the pool is Up before it was closed', async () => {
    await begin();
    const { db } = database;
    expect(await db.transaction((tx) => takeComputeForDisk(tx, start(), rules))).toBe('place full');
    expect(await db.$count(capacityClaim)).toBe(0);
    expect((await db.select().from(host))[0]).toMatchObject({ cpuUsedMhz: 0, ramUsedBytes: 0 });
  });

  it('refuses new copies of templates, and takes none away', async () => {
    const { db } = database;
    const other = await addTemplate(database, owner, { sizeBytes: 100 });
    const copy = { poolId, templateId: other, generation: 1, state: 'Ready', installPath: 'there' } as const;
    const [there] = await db.insert(templateSpoolRef).values(copy).returning();
    await begin();
    const request = {
      workflowId: 'stage',
      poolId,
      templateId,
      templateName: 'debian',
      generation: 1,
      hostId,
      hostName: 'host-1',
      accountId: owner.accountId,
      use: { type: 'prestage' },
    } as const;
    const stage = db.transaction(async (tx) => lockCopy(tx, request, await findTemplate(tx, templateId)));
    await expect(stage).rejects.toMatchObject({ code: 'SLIPWAY_POOL_MAINTENANCE' });
    expect(await beginEviction({ db }, there!.id)).toBe(false);
    await db.update(storagePool).set({ status: 'Up' });
    expect(await beginEviction({ db }, there!.id)).toBe(true);
  });

  it('has none of its files compared: it may not be mounted, and orphans would be removed', async () => {
    const { db } = database;
    const plan = () => planReconciliation(dependencies())({ hostId });
    const boot = (bootId: string) => db.update(host).set({ bootId });
    await boot('first');
    expect(await plan()).toMatchObject({ poolIds: [poolId] });
    await db.update(storagePool).set({ reconciled: null });
    await begin();
    expect(await plan()).toMatchObject({ poolIds: [] });
  });

  it('waits for operations on VMs whose disks are there, and for copies that come or go', async () => {
    const { db } = database;
    await begin();
    const [deploying] = (await drain()).virtualMachines;
    expect(deploying).toMatchObject({ id: vmId, state: 'Stopped' });
    await db.execute("update async_job set job_status = 1, completed = now() where job_cmd = 'deployVirtualMachine'");
    const [copy] = await db
      .insert(templateSpoolRef)
      .values({ poolId, templateId, generation: 1, state: 'Downloading' })
      .returning();
    expect(await drain()).toEqual({
      outcome: 'draining',
      poolName: `shared-${poolId}`,
      virtualMachines: [],
      templates: ['debian'],
    });
    await db.delete(templateSpoolRef).where(eq(templateSpoolRef.id, copy!.id));
    expect(await drain()).toMatchObject({ outcome: 'maintenance' });
    // Its answer was lost.
    expect(await drain()).toMatchObject({ outcome: 'maintenance' });
    expect((await db.select().from(storagePool))[0]!.status).toBe('Maintenance');
  });
});
