import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { createTestDatabase, type TestDatabase } from '../tests/support/test-database.js';
import { completeJob, createJob } from './jobs.js';
import { purgeEvents, purgeJobs, purgeRemoved } from './purge.js';
import {
  asyncJob,
  event,
  guestOs,
  networks,
  nics,
  serviceOffering,
  storagePool,
  templateSpoolRef,
  templateStoreRef,
  user,
  vmInstance,
  vmTemplate,
  volumes,
} from './schema/index.js';
import { activateTemplate, createTemplate } from './templates.js';

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

describe('purging', () => {
  let test: TestDatabase;
  let owner: { accountId: string; userId: string };

  beforeAll(async () => {
    test = await createTestDatabase();
    const [admin] = await test.db.select().from(user);
    owner = { accountId: admin!.accountId, userId: admin!.id };
  });
  afterAll(() => test.drop());

  it('removes old events, whatever their number, and keeps young ones', async () => {
    const old = { type: 'VM.START', level: 'INFO' as const, description: 'old', created: daysAgo(16) };
    await test.db.insert(event).values(Array.from({ length: 2_500 }, () => old));
    await test.db.insert(event).values({ ...old, description: 'young', created: daysAgo(14) });
    await Promise.all([purgeEvents(test.db, 15), purgeEvents(test.db, 15)]);
    expect(await test.db.select().from(event)).toMatchObject([{ description: 'young' }]);
  });

  it('removes jobs that ended long ago, and none that runs', async () => {
    const job = (id: string) =>
      createJob(test.db, {
        ...owner,
        id,
        jobCmd: 'stopVirtualMachine',
        workflowType: 'stopVirtualMachine',
        workflowId: `vm-${id}`,
        workflowInput: {},
        instanceType: 'VirtualMachine',
        instanceId: id,
      });
    const [running, ended, endedLongAgo] = [await job(randomUUID()), await job(randomUUID()), await job(randomUUID())];
    await test.db.update(asyncJob).set({ created: daysAgo(90) });
    for (const { id } of [ended, endedLongAgo]) {
      await completeJob(test.db, id, { status: 'succeeded', resultCode: 0, result: {} });
    }
    await test.db
      .update(asyncJob)
      .set({ completed: daysAgo(2) })
      .where(eq(asyncJob.id, endedLongAgo.id));
    await purgeJobs(test.db, 1440);
    const left = await test.db.select().from(asyncJob);
    expect(left.map(({ id }) => id).toSorted()).toEqual([running.id, ended.id].toSorted());
    // The same call again is another one by now.
    expect(await job(endedLongAgo.id)).toMatchObject({ id: endedLongAgo.id, jobStatus: 0 });
    await test.db.delete(asyncJob);
  });

  describe('of removed things', () => {
    async function template(): Promise<string> {
      const [os] = await test.db.select().from(guestOs).limit(1);
      const { id } = await createTemplate(test.db, test.secretBox, {
        name: 'template',
        displayText: 'template',
        accountId: owner.accountId,
        guestOsId: os!.id,
        format: 'QCOW2',
        url: 'http://images.example/disk.qcow2',
        checksum: undefined,
        directDownload: true,
        isPublic: false,
        isFeatured: false,
        isExtractable: false,
        requiresHvm: true,
        bits: 64,
        arch: 'x86_64',
        details: [{ name: 'key', value: 'value' }],
        headers: [],
      });
      await activateTemplate(test.db, { templateId: id, zoneIds: [test.seeded.zoneId] });
      return id;
    }

    async function vm(templateId: string, state: 'Stopped' | 'Expunged', removedDaysAgo?: number): Promise<string> {
      const id = randomUUID();
      const removed = removedDaysAgo === undefined ? null : daysAgo(removedDaysAgo);
      const [offering] = await test.db.select().from(serviceOffering).limit(1);
      const [network] = await test.db
        .insert(networks)
        .values({ name: id, displayText: id, guestType: 'L2', dataCenterId: test.seeded.zoneId })
        .returning();
      await test.db.insert(vmInstance).values({
        id,
        name: id,
        displayName: id,
        instanceName: id,
        accountId: owner.accountId,
        dataCenterId: test.seeded.zoneId,
        templateId,
        serviceOfferingId: offering!.id,
        state,
        removed,
      });
      const volumeState = state === 'Expunged' ? 'Expunged' : 'Allocated';
      await test.db.insert(volumes).values({
        name: `ROOT-${id}`,
        accountId: owner.accountId,
        instanceId: id,
        volumeType: 'ROOT',
        state: volumeState,
        templateId,
        removed,
      });
      const hex = id.replaceAll('-', '').slice(0, 10);
      const macAddress = ['02', ...hex.match(/../g)!].join(':');
      await test.db.insert(nics).values({ instanceId: id, networkId: network!.id, macAddress, deviceId: 0, removed });
      return id;
    }

    const removeTemplate = (id: string) =>
      test.db
        .update(vmTemplate)
        .set({ removed: daysAgo(40), state: 'Inactive' })
        .where(eq(vmTemplate.id, id));
    const vmIds = async () => (await test.db.select().from(vmInstance)).map(({ id }) => id).toSorted();
    const templateIds = async () => (await test.db.select().from(vmTemplate)).map(({ id }) => id).toSorted();

    afterEach(async () => {
      for (const table of [nics, templateSpoolRef]) await test.db.delete(table);
      await test.db.delete(volumes);
      await test.db.delete(vmInstance);
      await test.db.delete(vmTemplate);
      await test.db.delete(networks);
    });

    it('takes VMs expunged long ago with all that belongs to them, by several at once', async () => {
      const templateId = await template();
      const kept = [await vm(templateId, 'Stopped'), await vm(templateId, 'Expunged', 10)];
      const gone = await vm(templateId, 'Expunged', 31);
      await Promise.all([1, 2, 3].map(() => purgeRemoved(test.db, 30)));
      expect(await vmIds()).toEqual(kept.toSorted());
      expect(await test.db.select().from(nics).where(eq(nics.instanceId, gone))).toEqual([]);
      expect(await test.db.select().from(volumes)).toHaveLength(2);
      expect(await templateIds()).toEqual([templateId]);
    });

    it('keeps a VM with a disk that is still to be removed, or with a job', async () => {
      const templateId = await template();
      const ids = [await vm(templateId, 'Expunged', 40), await vm(templateId, 'Expunged', 40)];
      await test.db.insert(volumes).values({
        name: 'replaced',
        accountId: owner.accountId,
        instanceId: ids[0]!,
        volumeType: 'ROOT',
        state: 'Allocated',
        removed: daysAgo(40),
      });
      const job = await createJob(test.db, {
        ...owner,
        jobCmd: 'destroyVirtualMachine',
        workflowType: 'destroyVirtualMachine',
        workflowId: `vm-${ids[1]}`,
        workflowInput: {},
        instanceType: 'VirtualMachine',
        instanceId: ids[1]!,
      });
      await purgeRemoved(test.db, 30);
      expect(await vmIds()).toEqual(ids.toSorted());
      await test.db.delete(asyncJob).where(eq(asyncJob.id, job.id));
    });

    it('takes a disk that was replaced from a VM that lives on', async () => {
      const id = await vm(await template(), 'Stopped');
      const replaced = { name: 'replaced', accountId: owner.accountId, instanceId: id, volumeType: 'ROOT' as const };
      await test.db.insert(volumes).values({ ...replaced, state: 'Expunged', removed: daysAgo(40) });
      await purgeRemoved(test.db, 30);
      expect(await test.db.select().from(volumes)).toMatchObject([{ name: `ROOT-${id}` }]);
    });

    it('takes deleted templates that nothing refers to any more', async () => {
      const [used, copied, iso, gone] = [await template(), await template(), await template(), await template()];
      const vmId = await vm(used, 'Stopped');
      await test.db.update(vmInstance).set({ isoId: iso }).where(eq(vmInstance.id, vmId));
      const [pool] = await test.db
        .insert(storagePool)
        .values({ name: randomUUID(), dataCenterId: test.seeded.zoneId, poolType: 'Filesystem', scope: 'HOST' })
        .returning();
      await test.db.insert(templateSpoolRef).values({ poolId: pool!.id, templateId: copied, generation: 1 });
      for (const id of [used, copied, iso, gone]) await removeTemplate(id);
      await purgeRemoved(test.db, 30);
      expect(await templateIds()).toEqual([used, copied, iso].toSorted());
      const zones = await test.db
        .select({ count: sql<number>`count(*)`.mapWith(Number) })
        .from(templateStoreRef)
        .where(eq(templateStoreRef.templateId, gone));
      expect(zones).toEqual([{ count: 0 }]);
    });
  });
});
