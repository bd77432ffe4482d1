import { and, eq } from 'drizzle-orm';
import {
  dataCenter,
  event,
  JOB_STATUS,
  templateSpoolRef,
  templateStoreRef,
  vmTemplate,
} from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { templateWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import { addZone } from '../support/add-zone.js';
import type { FakeHost } from '../support/fake-host.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('deleteTemplate', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;

  beforeEach(async () => {
    fake = await join('host-1');
  });

  const templateRow = async (id: string) => (await plane.db.select().from(vmTemplate).where(eq(vmTemplate.id, id)))[0]!;
  const zonesOf = async (templateId: string) =>
    plane.db
      .select({ zoneId: templateStoreRef.dataCenterId, state: templateStoreRef.state })
      .from(templateStoreRef)
      .where(eq(templateStoreRef.templateId, templateId));
  const copiesOf = (templateId: string) =>
    plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
  const eventsOf = (templateId: string) =>
    plane.db
      .select({ type: event.type, level: event.level })
      .from(event)
      .where(and(eq(event.resourceId, templateId)))
      .orderBy(event.created);

  it('takes an unused template from its zones at once, and its copy from the pool', async () => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    await scenario.destroy(vmId, true);
    expect(await scenario.deleteTemplate(templateId)).toMatchObject({
      jobStatus: JOB_STATUS.succeeded,
      jobResult: { success: true },
    });
    expect(await templateRow(templateId)).toMatchObject({ state: 'Inactive', removed: expect.any(String) as string });
    expect(await zonesOf(templateId)).toEqual([{ zoneId: plane.seeded.zoneId, state: 'Destroyed' }]);
    expect(fake.copies.size).toBe(1);

    await evictUnusedCopies(plane);
    await waitFor('the copy is evicted', async () => (await copiesOf(templateId)).length === 0);
    expect(fake.copies.size).toBe(0);
    expect(await eventsOf(templateId)).toEqual([
      { type: 'TEMPLATE.DELETE', level: 'INFO' },
      { type: 'TEMPLATE.EVICT', level: 'INFO' },
    ]);
  });

  it.each([
    ['runs', () => Promise.resolve()],
    ['was destroyed and can be recovered', (vmId: string) => scenario.destroy(vmId, false)],
  ])('refuses in CloudStack’s words while a VM of it %s', async (_, bring) => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    await bring(vmId);
    const { name } = await scenario.vmRow(vmId);
    expect(await scenario.deleteTemplate(templateId)).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResultCode: 431,
      jobResult: {
        errorcode: 431,
        errortext:
          'Unable to delete template [template] because there are [1] VM instances using it. ' +
          `Instances list: [${name} (${vmId})].`,
      },
    });
    expect(await templateRow(templateId)).toMatchObject({ state: 'Active', removed: null });
    expect(await eventsOf(templateId)).toEqual([{ type: 'TEMPLATE.DELETE', level: 'ERROR' }]);
    await scenario.destroy(vmId, true);
  });

  it('takes an ISO from its zones, and calls it one', async () => {
    const templateId = await scenario.template({ format: 'ISO' });
    expect(await scenario.deleteTemplate(templateId)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await templateRow(templateId)).toMatchObject({ state: 'Inactive', removed: expect.any(String) as string });
    expect(await eventsOf(templateId)).toEqual([{ type: 'ISO.DELETE', level: 'INFO' }]);
  });

  it('forced lets VMs go on, and their copy goes with the last of them', async () => {
    const templateId = await scenario.template();
    const first = await scenario.deploy(templateId);
    const last = await scenario.deploy(templateId);
    expect(await scenario.deleteTemplate(templateId, { isForced: true })).toMatchObject({
      jobStatus: JOB_STATUS.succeeded,
    });
    for (const { vmId } of [first, last]) {
      await evictUnusedCopies(plane);
      expect(await copiesOf(templateId)).toMatchObject([{ state: 'Ready' }]);
      expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running' });
      await scenario.destroy(vmId, true);
    }
    await evictUnusedCopies(plane);
    await waitFor('the copy is evicted', async () => (await copiesOf(templateId)).length === 0);
    expect(fake.copies.size).toBe(0);
  });

  it('keeps copies when template.delete.from.primary.storage says so', async () => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    await scenario.destroy(vmId, true);
    await scenario.deleteTemplate(templateId);
    await writeSettings(plane.db, { 'template.delete.from.primary.storage': 'false' });
    await evictUnusedCopies(plane);
    expect(await copiesOf(templateId)).toMatchObject([{ state: 'Ready' }]);
    await writeSettings(plane.db, { 'template.delete.from.primary.storage': 'true' });
    await evictUnusedCopies(plane);
    await waitFor('the copy is evicted', async () => (await copiesOf(templateId)).length === 0);
  });

  it('from one zone of two leaves it in the other, where its copies stay', async () => {
    const [other] = await plane.db
      .insert(dataCenter)
      .values({ name: `zone-${crypto.randomUUID()}` })
      .returning();
    const templateId = await scenario.template();
    await plane.db.insert(templateStoreRef).values({ templateId, dataCenterId: other!.id });
    const { vmId } = await scenario.deploy(templateId);
    // The VM is in the first zone, and no reason to keep it in the other.
    expect(await scenario.deleteTemplate(templateId, { zoneId: other!.id })).toMatchObject({
      jobStatus: JOB_STATUS.succeeded,
    });
    expect(await templateRow(templateId)).toMatchObject({ state: 'Active', removed: null });
    await scenario.destroy(vmId, true);
    await evictUnusedCopies(plane);
    expect(await copiesOf(templateId)).toMatchObject([{ state: 'Ready' }]);
    expect(await scenario.deleteTemplate(templateId, { zoneId: other!.id })).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: expect.objectContaining({ errortext: 'Template template is not in that zone' }) as object,
    });
    await scenario.deleteTemplate(templateId);
    await evictUnusedCopies(plane);
    await waitFor('the copy is evicted', async () => (await copiesOf(templateId)).length === 0);
    await plane.db.delete(templateStoreRef).where(eq(templateStoreRef.dataCenterId, other!.id));
    await plane.db.delete(dataCenter).where(eq(dataCenter.id, other!.id));
  });

  it('of a template that was deployed in two zones takes it from one', async () => {
    const home = await addZone(plane.db);
    const there = await join('there', home);
    const templateId = await scenario.template({ zoneIds: [plane.seeded.zoneId, home.zoneId] });
    const first = await scenario.deploy(templateId);
    const second = await scenario.deploy(templateId, { zoneId: home.zoneId });
    expect(await scenario.vmRow(first.vmId)).toMatchObject({ state: 'Running', hostId: fake.hostId });
    expect(await scenario.vmRow(second.vmId)).toMatchObject({ state: 'Running', hostId: there.hostId });

    await scenario.destroy(second.vmId, true);
    expect(await scenario.deleteTemplate(templateId, { zoneId: home.zoneId })).toMatchObject({ jobStatus: 1 });
    expect((await scenario.deploy(templateId, { zoneId: home.zoneId })).job).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: { errortext: expect.stringContaining('not ready in the zone') as string },
    });
    expect((await scenario.deploy(templateId)).job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    await evictUnusedCopies(plane);
    await waitFor('the copy of the other zone is gone', async () => (await copiesOf(templateId)).length === 1);
    expect([fake.copies.size, there.copies.size]).toEqual([1, 0]);
  });

  it('forced lets a deployment go on that downloads it', async () => {
    let isHeld = true;
    fake.override('verifyChecksum', async () => {
      while (isHeld) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const templateId = await scenario.template({ checksum: `{SHA-256}${'0'.repeat(64)}` });
    const { vmId, job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('it is downloaded', async () => fake.timesAsked('verifyChecksum') === 1);
    await scenario.deleteTemplate(templateId, { isForced: true });
    await evictUnusedCopies(plane);
    isHeld = false;
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    await evictUnusedCopies(plane);
    expect(await copiesOf(templateId)).toMatchObject([{ state: 'Ready' }]);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running' });
    await scenario.destroy(vmId, true);
  });

  it('fails a deployment that was asked for and had no host yet', async () => {
    const templateId = await scenario.template();
    const { vmId, job } = await scenario.vm(templateId);
    await scenario.deleteTemplate(templateId, { isForced: true });
    await scenario.start(job);
    expect(await scenario.ended(job)).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: expect.objectContaining({ errorcode: 431 }) as object,
    });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Error' });
  });

  it('is done once when its workflow was terminated and when it is started once more', async () => {
    const templateId = await scenario.template();
    const handle = plane.client.workflow.getHandle(templateWorkflowId(templateId));
    // Nobody works on the queue: the workflow is terminated before its first act.
    const stuck = await plane.client.workflow.start('deleteTemplate', {
      workflowId: templateWorkflowId(templateId),
      taskQueue: 'nobody',
      args: [{}],
    });
    const job = await scenario.beginDeleteTemplate(templateId);
    await stuck.terminate();
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    await handle.result();
    const again = await plane.client.workflow.start('deleteTemplate', {
      workflowId: templateWorkflowId(templateId),
      taskQueue: 'control',
      args: [job.workflowInput],
    });
    await again.result();
    expect(await eventsOf(templateId)).toEqual([{ type: 'TEMPLATE.DELETE', level: 'INFO' }]);
  });
});
