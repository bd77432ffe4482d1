import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import {
  event,
  JOB_STATUS,
  stageWaiter,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
} from '../../db/schema/index.js';
import type { PrestageProgress } from '../../shared/templates.js';
import { prestageWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { refusal, tier } from '../support/host-answers.js';
import { CANCELLED, SUCCEEDED } from '../support/job-ends.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { resetWorkflow } from '../support/reset-workflow.js';
import { waitFor } from '../support/wait-for.js';

const GiB = 1024 ** 3;

describe('templates that are brought to pools ahead of time', () => {
  const { plane, scenario, join } = useControlPlane();
  const copiesOf = (templateId: string) =>
    plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
  const begin = (templateId: string, input: { poolId?: string; soFar?: PrestageProgress } = {}) => {
    const { zoneId } = plane.seeded;
    const workflowId = prestageWorkflowId(templateId, input.poolId ?? zoneId);
    return scenario.beginTemplateJob('prestageTemplate', templateId, { ...input, zoneId }, workflowId);
  };
  const prestage = async (...call: Parameters<typeof begin>) => scenario.ended(await begin(...call));

  /** Pools more, which the same host reaches. */
  async function addPools(fake: FakeHost, count: number): Promise<string[]> {
    const rows = Array.from({ length: count }, () => ({
      name: `more-${randomUUID()}`,
      dataCenterId: plane.seeded.zoneId,
      poolType: 'Filesystem' as const,
      scope: 'HOST' as const,
      capacityBytes: 100 * GiB,
    }));
    const pools = await plane.db.insert(storagePool).values(rows).returning();
    await plane.db
      .insert(storagePoolHostRef)
      .values(pools.map(({ id }) => ({ poolId: id, hostId: fake.hostId, localPath: `/${id}` })));
    return pools.map(({ id }) => id);
  }
  const remove = async (poolIds: string[]) => {
    for (const id of poolIds) {
      await plane.db.update(storagePool).set({ removed: new Date().toISOString() }).where(eq(storagePool.id, id));
    }
  };

  it('are there when a VM needs them, and are kept although nothing uses them yet', async () => {
    const [one, two] = [await join('host-1'), await join('host-2')];
    const templateId = await scenario.template();
    expect(await prestage(templateId, { poolId: one.poolId })).toMatchObject(SUCCEEDED);
    expect([one.timesAsked('downloadTier'), two.timesAsked('downloadTier')]).toEqual([1, 0]);
    const old = new Date(Date.now() - 10 * 86_400_000).toISOString();
    await plane.db.update(templateSpoolRef).set({ unusedSince: old }).where(eq(templateSpoolRef.poolId, one.poolId));

    expect(await prestage(templateId)).toMatchObject(SUCCEEDED);
    // The pool that had it is not asked, but it is wanted there once more.
    expect([one.timesAsked('downloadTier'), two.timesAsked('downloadTier')]).toEqual([1, 1]);
    await evictUnusedCopies(plane);
    await evictUnusedCopies(plane);
    expect((await copiesOf(templateId)).map(({ state }) => state)).toEqual(['Ready', 'Ready']);
    expect(await plane.db.select().from(stageWaiter)).toEqual([]);

    expect((await scenario.deploy(templateId)).job).toMatchObject(SUCCEEDED);
    expect([one.timesAsked('downloadTier'), two.timesAsked('downloadTier')]).toEqual([1, 1]);
    expect(await plane.db.select().from(event).where(eq(event.resourceId, templateId))).toContainEqual(
      expect.objectContaining({ type: 'TEMPLATE.PREPARE', level: 'INFO', description: 'template is on 2 pools' }),
    );
  });

  it('reach every pool that can get them, and the job names the others', async () => {
    const [good, bad] = [await join('host-1'), await join('host-2')];
    bad.override('readSources', () => Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', 'no route')));
    const templateId = await scenario.template();
    const job = await prestage(templateId);
    expect(job).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: { slipwaycode: 'SLIPWAY_SOURCES_EXHAUSTED' },
    });
    expect(job.jobResult!['errortext']).toBe('1 of 2 pools did not get the template\nhost-2-pool: no route');
    expect(await copiesOf(templateId)).toMatchObject([{ poolId: good.poolId, state: 'Ready' }]);
  });

  it('go to ten pools at a time, and on from where another run of the workflow has ended', async () => {
    const fake = await join('host-1');
    const more = await addPools(fake, 13);
    const poolIds = [...more, fake.poolId].toSorted();
    const { opened, open } = gate();
    let atGate = 0;
    fake.override('readSources', async ({ url }) => {
      atGate++;
      await opened;
      return {
        isMetalink: false,
        hasPieces: false,
        digests: [],
        dropped: [],
        tiers: [tier(url.display)],
      };
    });
    const templateId = await scenario.template();
    const soFar = { lastPoolId: poolIds[1]!, readyCount: 1, failedCount: 1, failures: [] };
    const failures = [{ poolName: 'lost', code: 'SLIPWAY_POOL_FULL' as const, message: 'full' }];
    const job = await begin(templateId, { soFar: { ...soFar, failures } });
    await waitFor('ten stages have begun', async () => atGate === 10);
    expect(await plane.db.select().from(stageWaiter)).toHaveLength(10);
    open();
    const ended = await scenario.ended(job, 60_000);
    expect(ended.jobResult!['errortext']).toBe('1 of 14 pools did not get the template\nlost: full');
    expect((await copiesOf(templateId)).map(({ poolId }) => poolId).toSorted()).toEqual(poolIds.slice(2));
    await remove(more);
  });

  it.each([
    ['a Disabled pool', { status: 'Disabled' as const }, (fake: FakeHost) => ({ poolId: fake.poolId }), 'The pool is'],
    ['a zone whose pools are gone', { removed: new Date().toISOString() }, () => ({}), 'No enabled pool of the zone'],
  ])('go nowhere and the job says so, for %s', async (_, pool, input, reason) => {
    const fake = await join('host-1');
    await plane.db.update(storagePool).set(pool).where(eq(storagePool.id, fake.poolId));
    expect(await prestage(await scenario.template(), input(fake))).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: { slipwaycode: 'SLIPWAY_NO_HOST', errortext: expect.stringContaining(reason) as string },
    });
  });

  it('leave the downloads that nobody else waits for, when the workflow is cancelled', async () => {
    const fake = await join('host-1');
    const { opened, open } = gate();
    fake.override('readSources', async () => {
      await opened;
      throw refusal('SLIPWAY_SOURCES_EXHAUSTED', 'too late');
    });
    const templateId = await scenario.template();
    const job = await begin(templateId);
    await waitFor('it is being read', async () => fake.timesAsked('readSources') === 1);
    await plane.client.workflow.getHandle(job.workflowId).cancel();
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);
    expect(await plane.db.select().from(stageWaiter)).toEqual([]);
    open();
    await waitFor('the copy is forgotten', async () => (await copiesOf(templateId)).length === 0);
  });

  describe('by a workflow that is reset while a pool is served', () => {
    /** Temporal lets the child of the run before go on. */
    async function reset() {
      const fake = await join('host-1');
      const { opened, open } = gate();
      fake.override('readSources', async ({ url }) => {
        await opened;
        return { isMetalink: false, hasPieces: false, digests: [], dropped: [], tiers: [tier(url.display)] };
      });
      const job = await begin(await scenario.template());
      await waitFor('it is being read', async () => fake.timesAsked('readSources') === 1);
      await resetWorkflow(plane.client, { workflowId: job.workflowId });
      const run = plane.client.workflow.getHandle(job.workflowId);
      await waitFor('it has come to the pool again', async () => {
        const { events } = await run.fetchHistory();
        return (events ?? []).some((event) => event.startChildWorkflowExecutionFailedEventAttributes);
      });
      return { job, run, open };
    }

    it('are there all the same', async () => {
      const { job, open } = await reset();
      open();
      expect(await scenario.ended(job)).toMatchObject(SUCCEEDED);
      expect(await plane.db.select().from(stageWaiter)).toEqual([]);
    });

    it('are waited for by nobody when it is cancelled then', async () => {
      const { job, run, open } = await reset();
      await run.cancel();
      expect(await scenario.ended(job)).toMatchObject(CANCELLED);
      const waiters = async () => (await plane.db.select().from(stageWaiter)).length;
      await waitFor('nobody waits', async () => (await waiters()) === 0);
      open();
    });
  });

  it('can be deleted meanwhile: what has come goes, and no more comes', async () => {
    const fake = await join('host-1');
    const { opened, open } = gate();
    fake.override('verifyChecksum', () => opened);
    const templateId = await scenario.template({ checksum: `{MD5}${'a'.repeat(32)}` });
    const job = await begin(templateId);
    await waitFor('it is on its way', async () => fake.timesAsked('verifyChecksum') === 1);
    expect(await scenario.deleteTemplate(templateId)).toMatchObject(SUCCEEDED);
    open();
    expect(await scenario.ended(job)).toMatchObject({
      jobResult: { errortext: expect.stringContaining('is in the zone no more') as string },
    });
    await evictUnusedCopies(plane);
    await waitFor('the copy is gone', async () => (await copiesOf(templateId)).length === 0);
    expect(fake.copies.size).toBe(0);
  });
});
