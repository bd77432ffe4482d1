import { eq, sql } from 'drizzle-orm';
import { beginEviction } from '../../activities/control/template/evict.js';
import { createControlActivities } from '../../activities/control/index.js';
import {
  event,
  JOB_STATUS,
  stageWaiter,
  storagePool,
  templateSpoolRef,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import { evictionWorkflowId, stageWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import type { FakeHost } from '../support/fake-host.js';
import { hang, refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';
import { stageRequestOf } from '../support/stage-request.js';

const GiB = 1024 ** 3;

describe('the eviction of template copies', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;

  beforeEach(async () => {
    fake = await join('host-1');
  });

  const copies = (poolId = fake.poolId) =>
    plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, poolId));
  const isGone = () => waitFor('the copy is evicted', async () => (await copies()).length === 0);
  const pool = async () => (await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId)))[0]!;

  /** A template with a copy that nothing uses. */
  async function unusedCopy(poolId = fake.poolId) {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    await scenario.destroy(vmId, true);
    const copy = (await copies(poolId)).find((row) => row.templateId === templateId)!;
    return { templateId, spoolRefId: copy.id };
  }

  /** As if nothing had used it for two days. */
  const forget = (spoolRefId: string) =>
    plane.db
      .update(templateSpoolRef)
      .set({ unusedSince: sql`now() - interval '2 days'` })
      .where(eq(templateSpoolRef.id, spoolRefId));

  it('takes what nothing has used for storage.cleanup.interval, unless that is switched off', async () => {
    const { spoolRefId, templateId } = await unusedCopy();
    await evictUnusedCopies(plane);
    expect(await copies()).toMatchObject([{ state: 'Ready', unusedSince: expect.any(String) as string }]);
    await forget(spoolRefId);
    await writeSettings(plane.db, { 'storage.template.cleanup.enabled': 'false' });
    await evictUnusedCopies(plane);
    expect(await copies()).toMatchObject([{ state: 'Ready' }]);
    await writeSettings(plane.db, { 'storage.template.cleanup.enabled': 'true' });
    await evictUnusedCopies(plane);
    await isGone();
    expect(await pool()).toMatchObject({ templateBytes: 0 });

    // It comes again when it is wanted.
    expect((await scenario.deploy(templateId)).job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await copies()).toMatchObject([{ state: 'Ready' }]);
  });

  it.each([
    ['runs', () => Promise.resolve(undefined)],
    ['can be recovered', (vmId: string) => scenario.destroy(vmId, false)],
  ])('never takes a copy that the disk of a VM stands on which %s', async (_, bring) => {
    const { vmId } = await scenario.deploy(await scenario.template());
    await bring(vmId);
    const [copy] = await copies();
    await forget(copy!.id);
    await evictUnusedCopies(plane);
    expect(await copies()).toMatchObject([{ state: 'Ready', unusedSince: null }]);
    expect(await beginEviction(plane, copy!.id)).toBe(false);
    await scenario.destroy(vmId, true);
    await evictUnusedCopies(plane);
    expect(await copies()).toMatchObject([{ unusedSince: expect.any(String) as string }]);
  });

  it('never takes a copy while a host owes the undo of a VM that stood on it', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    fake.override('removeDeployment', () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'silent')));
    await scenario.destroy(vmId, true);
    const [copy] = await copies();
    expect(await plane.db.select().from(volumes).where(eq(volumes.templateSpoolRefId, copy!.id))).toEqual([]);
    expect(await beginEviction(plane, copy!.id)).toBe(false);
    fake.override('removeDeployment', undefined);
    await fake.stop();
    await fake.start();
    await waitFor('the debt is paid', () => beginEviction(plane, copy!.id));
    await evictUnusedCopies(plane);
    await isGone();
  });

  it('is refused by the database itself while a volume refers to the copy, and the other way round', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    const [copy] = await copies();
    const set = (state: 'Evicting' | 'Ready') =>
      plane.db.update(templateSpoolRef).set({ state }).where(eq(templateSpoolRef.id, copy!.id));
    const violation = {
      cause: { constraint_name: 'volumes_template_spool_ref_id_template_spool_ref_usable_id_fk' },
    };
    await expect(set('Evicting')).rejects.toMatchObject(violation);
    await scenario.destroy(vmId, true);
    await set('Evicting');
    const refer = plane.db.update(volumes).set({ templateSpoolRefId: copy!.id }).where(eq(volumes.instanceId, vmId));
    await expect(refer).rejects.toMatchObject(violation);
    await set('Ready');
  });

  describe('against a deployment that joins at the same moment', () => {
    /** A deployment that has a place on the pool and joins next. */
    async function deployment(templateId: string) {
      const { vmId, job } = await scenario.vm(templateId);
      const workflow = { start: () => Promise.resolve(), getHandle: () => ({ signal: () => Promise.resolve() }) };
      const activities = createControlActivities({ ...plane, client: { workflow } as never });
      const claimed = await activities.claimHost({ vmId, jobId: job.id, excludedHostIds: [] });
      if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
      const leave = async () => {
        await activities.leaveStage(stageRequestOf(claimed.deployment));
        await activities.releaseClaim({ ...claimed.deployment, keepsDisk: false });
      };
      return { vmId, job, deployment: claimed.deployment, activities, leave };
    }

    it('loses: what was joined stays', async () => {
      const { templateId, spoolRefId } = await unusedCopy();
      const { deployment: joining, activities, vmId, leave } = await deployment(templateId);
      // The eviction waits for the lock of the join, and must see what that has done.
      const joined = await plane.db.transaction(async (tx) => {
        await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, spoolRefId)).for('update');
        const evicting = beginEviction(plane, spoolRefId);
        await waitFor('the eviction waits for the lock', async () => {
          const waiting = await plane.db.execute(sql`select 1 from pg_locks where not granted`);
          return waiting.length > 0;
        });
        await tx.update(volumes).set({ templateSpoolRefId: spoolRefId }).where(eq(volumes.instanceId, vmId));
        return { evicting };
      });
      expect(await joined.evicting).toBe(false);
      expect(await activities.joinStage(stageRequestOf(joining))).toMatchObject({ outcome: 'ready' });
      await leave();
    });

    it('wins: the deployment begins a copy anew, with another file', async () => {
      const { templateId, spoolRefId } = await unusedCopy();
      const [before] = await copies();
      expect(await beginEviction(plane, spoolRefId)).toBe(true);
      const { vmId, job } = await scenario.vm(templateId);
      await scenario.start(job);
      expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      const [, after] = await plane.db
        .select()
        .from(templateSpoolRef)
        .where(eq(templateSpoolRef.poolId, fake.poolId))
        .orderBy(templateSpoolRef.created);
      expect(after).toMatchObject({ state: 'Ready' });
      expect(after!.installPath).not.toBe(before!.installPath);
      await evictUnusedCopies(plane);
      await waitFor('the old one is gone', async () => (await copies()).length === 1);
      expect([...fake.copies]).toEqual([after!.installPath]);
      expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running' });
    });

    it('ends with a copy for every deployment, whoever is first', async () => {
      for (let round = 0; round < 10; round++) {
        const { templateId, spoolRefId } = await unusedCopy();
        const { vmId, job } = await scenario.vm(templateId);
        await Promise.all([scenario.start(job), beginEviction(plane, spoolRefId)]);
        expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
        await evictUnusedCopies(plane);
        await waitFor('nothing is being evicted', async () => (await copies()).every(({ state }) => state === 'Ready'));
        const [volume] = await plane.db.select().from(volumes).where(eq(volumes.instanceId, vmId));
        const copy = (await copies()).find(({ id }) => id === volume!.templateSpoolRefId);
        expect(fake.copies).toContain(copy!.installPath);
        await scenario.destroy(vmId, true);
      }
    });
  });

  it('is done once by two control workers', async () => {
    const { spoolRefId, templateId } = await unusedCopy();
    await forget(spoolRefId);
    await Promise.all([evictUnusedCopies(plane), evictUnusedCopies(plane)]);
    await isGone();
    await Promise.all([evictUnusedCopies(plane), evictUnusedCopies(plane)]);
    expect(fake.timesAsked('removeTemplateCopy')).toBe(1);
    expect(await pool()).toMatchObject({ templateBytes: 0 });
    expect(await plane.db.select().from(event).where(eq(event.resourceId, templateId))).toHaveLength(1);
  });

  it('goes on when the host dies after it has removed the file and before it says so', async () => {
    const { spoolRefId } = await unusedCopy();
    let isDying = true;
    fake.override('removeTemplateCopy', async ({ copy }) => {
      fake.copies.delete(`${copy.templateId}.g${copy.generation}.e${copy.epoch}`);
      if (isDying) await hang();
      return { overlays: [], usedBytes: 0 };
    });
    await forget(spoolRefId);
    await evictUnusedCopies(plane);
    await waitFor('the file is removed', async () => fake.timesAsked('removeTemplateCopy') === 1);
    isDying = false;
    await fake.stop();
    expect(await copies()).toMatchObject([{ state: 'Evicting' }]);
    await fake.start();
    await isGone();
  });

  it('is taken up again when its workflow was terminated', async () => {
    const { spoolRefId } = await unusedCopy();
    fake.override('removeTemplateCopy', hang);
    await forget(spoolRefId);
    await evictUnusedCopies(plane);
    await waitFor('the host is asked', async () => fake.timesAsked('removeTemplateCopy') === 1);
    await plane.client.workflow.getHandle(evictionWorkflowId(spoolRefId)).terminate();
    fake.override('removeTemplateCopy', undefined);
    await evictUnusedCopies(plane);
    await isGone();
  });

  it('waits for a host that is down, and takes another host of a shared pool', async () => {
    const poolId = crypto.randomUUID();
    await fake.retire();
    const [sick, well] = [await join('host-a', { poolId }), await join('host-b', { poolId })];
    const { spoolRefId } = await unusedCopy(poolId);
    const broken = () => Promise.reject(refusal('SLIPWAY_POOL_IO', 'Is the pool mounted there?'));
    for (const host of [sick, well]) host.override('removeTemplateCopy', broken);
    await forget(spoolRefId);
    await evictUnusedCopies(plane);
    await waitFor('both are asked', async () => well.timesAsked('removeTemplateCopy') === 1);
    expect(await copies(poolId)).toMatchObject([{ state: 'Evicting' }]);
    well.override('removeTemplateCopy', undefined);
    await waitFor('the copy is evicted', async () => (await copies(poolId)).length === 0, 30_000);
  });

  describe('of a copy that an unknown file stands on', () => {
    const unknown = () => Promise.resolve({ overlays: ['rescue.qcow2'], usedBytes: 0 });

    it('is refused by the host: the copy stays and an event says why, once', async () => {
      const { templateId, spoolRefId } = await unusedCopy();
      fake.override('removeTemplateCopy', unknown);
      await forget(spoolRefId);
      await evictUnusedCopies(plane);
      await waitFor('it is kept', async () => (await copies())[0]?.evictionRefused != null);
      await evictUnusedCopies(plane);
      expect(await copies()).toMatchObject([{ state: 'Ready' }]);
      expect(fake.timesAsked('removeTemplateCopy')).toBe(1);
      const [row] = await plane.db.select().from(event).where(eq(event.resourceId, templateId));
      expect(row).toMatchObject({ level: 'ERROR', description: expect.stringContaining('rescue.qcow2') as string });
      expect((await scenario.deploy(templateId)).job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect(fake.timesAsked('downloadTier')).toBe(1);
    });

    it('leaves it beside the copy that was begun meanwhile', async () => {
      const { templateId, spoolRefId } = await unusedCopy();
      fake.override('removeTemplateCopy', unknown);
      await beginEviction(plane, spoolRefId);
      await scenario.deploy(templateId);
      await evictUnusedCopies(plane);
      await waitFor('it is kept', async () =>
        (await copies()).some(({ id, state }) => id === spoolRefId && state === 'Superseded'),
      );
      expect((await copies()).map(({ state }) => state).sort()).toEqual(['Ready', 'Superseded']);
    });
  });

  describe('when a pool has too little space', () => {
    const sizeIs = (templateId: string, sizeBytes: number) =>
      plane.db.update(vmTemplate).set({ sizeBytes }).where(eq(vmTemplate.id, templateId));

    /** A copy that takes so much, and whose last use was so many hours ago. */
    async function taking(bytes: number, hours: number): Promise<string> {
      const { spoolRefId } = await unusedCopy();
      await plane.db
        .update(templateSpoolRef)
        .set({ reservedBytes: bytes, unusedSince: sql`now() - make_interval(hours => ${hours})` })
        .where(eq(templateSpoolRef.id, spoolRefId));
      await plane.db
        .update(storagePool)
        .set({ templateBytes: sql`${storagePool.templateBytes} + ${bytes - 500}` })
        .where(eq(storagePool.id, fake.poolId));
      return spoolRefId;
    }

    const capacityIs = async (bytes: number): Promise<void> => {
      fake.capacityBytes = bytes;
      await waitFor('the pool has that size', async () => (await pool()).capacityBytes === bytes);
    };

    it('takes the least recently used, no more than needed, and the deployment waits for it', async () => {
      const old = await taking(40 * GiB, 3);
      const older = await taking(30 * GiB, 5);
      const wanted = await scenario.template();
      await sizeIs(wanted, 20 * GiB);
      // 70 are taken, 20 for the template and 10 for its disk are needed.
      await capacityIs(75 * GiB);
      const { job } = await scenario.vm(wanted);
      await scenario.start(job);
      expect(await scenario.ended(job, 30_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      const left = (await copies()).map(({ id }) => id);
      expect(left).toContain(old);
      expect(left).not.toContain(older);
    });

    it('takes none when all of them are not enough, and the deployment fails at once', async () => {
      const old = await taking(40 * GiB, 3);
      const wanted = await scenario.template();
      await sizeIs(wanted, 60 * GiB);
      await capacityIs(75 * GiB);
      const { job } = await scenario.vm(wanted);
      await scenario.start(job);
      expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.failed });
      expect((await copies()).map(({ id, state }) => ({ id, state }))).toEqual([{ id: old, state: 'Ready' }]);
    });

    it('makes room when the space is gone between the choice of the host and the download', async () => {
      const old = await taking(40 * GiB, 3);
      const wanted = await scenario.template();
      await sizeIs(wanted, 20 * GiB);
      const { vmId, job } = await scenario.vm(wanted);
      const activities = createControlActivities(plane);
      const claimed = await activities.claimHost({ vmId, jobId: job.id, excludedHostIds: [] });
      if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
      await capacityIs(60 * GiB);
      expect(await activities.joinStage(stageRequestOf(claimed.deployment))).toMatchObject({ outcome: 'waiting' });
      expect(await plane.db.select().from(stageWaiter)).toMatchObject([{ spoolRefId: old }]);
      await waitFor('the copy is evicted', async () => !(await copies()).some(({ id }) => id === old));
      expect(await activities.joinStage(stageRequestOf(claimed.deployment))).toMatchObject({ outcome: 'waiting' });
      await waitFor('the template is there', async () =>
        (await copies()).some(({ templateId, state }) => templateId === wanted && state === 'Ready'),
      );
      await activities.leaveStage(stageRequestOf(claimed.deployment));
      await activities.releaseClaim({ ...claimed.deployment, keepsDisk: false });
    });

    it('makes room when the host finds less space than the database knows of', async () => {
      const old = await taking(40 * GiB, 3);
      const wanted = await scenario.template();
      await sizeIs(wanted, GiB);
      fake.override('downloadTier', () => {
        fake.override('downloadTier', undefined);
        return Promise.reject(refusal('SLIPWAY_POOL_FULL', 'no space left'));
      });
      const { job } = await scenario.deploy(wanted);
      expect(job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect((await copies()).map(({ id }) => id)).not.toContain(old);
      await plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, wanted, 1)).result();
    });

    it('gives up on a pool whose host does not get rid of the copy within a minute, and loses no other', async () => {
      const old = await taking(40 * GiB, 3);
      const other = await taking(25 * GiB, 1);
      fake.override('removeTemplateCopy', hang);
      const wanted = await scenario.template();
      await sizeIs(wanted, 20 * GiB);
      await capacityIs(85 * GiB);
      const { job } = await scenario.vm(wanted);
      await scenario.start(job);
      await waitFor('the copy is on its way out', async () => fake.timesAsked('removeTemplateCopy') === 1);
      await plane.db
        .update(templateSpoolRef)
        .set({ lastUpdated: sql`now() - interval '61 seconds'` })
        .where(eq(templateSpoolRef.id, old));
      expect(await scenario.ended(job, 30_000)).toMatchObject({ jobStatus: JOB_STATUS.failed });
      // Both together would be enough for this one, if the first ever went.
      const larger = await scenario.template();
      await sizeIs(larger, 50 * GiB);
      const { job: another } = await scenario.deploy(larger);
      expect(another).toMatchObject({ jobStatus: JOB_STATUS.failed });
      const states = new Map((await copies()).map(({ id, state }) => [id, state]));
      expect([states.get(old), states.get(other), states.size]).toEqual(['Evicting', 'Ready', 2]);
    });
  });
});
