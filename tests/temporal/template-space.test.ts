import { eq } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import { stageWaiter, storagePool, templateSpoolRef, vmTemplate } from '../../db/schema/index.js';
import type { Deployment } from '../../shared/virtual-machines.js';
import { type ControlPlane, startControlPlane } from '../support/control-plane.js';
import { FakeHost } from '../support/fake-host.js';
import { Scenario } from '../support/scenario.js';
import { stageRequestOf } from '../support/stage-request.js';

const GiB = 1024 ** 3;

/** The stages that the deployments join find no host that takes their work: only what is counted matters here. */
describe('the space of templates on a pool', () => {
  let plane: ControlPlane;
  let scenario: Scenario;
  let fake: FakeHost;
  let activities: ReturnType<typeof createControlActivities>;

  beforeAll(async () => {
    plane = await startControlPlane();
    scenario = new Scenario(plane);
  });
  afterAll(() => plane.stop());
  beforeEach(async () => {
    // Stages are not started: who waits calls joinStage, and the tests end them.
    const workflow = { start: () => Promise.resolve(), getHandle: () => ({ signal: () => Promise.resolve() }) };
    activities = createControlActivities({ ...plane, client: { workflow } as never });
    fake = await FakeHost.join(plane, 'host-1');
    await fake.isStatus('Up');
  });
  afterEach(async () => {
    await plane.db.delete(stageWaiter);
    await fake.retire();
  });

  const pool = async () => (await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId)))[0]!;
  const copies = () => plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, fake.poolId));
  const poolHas = (values: { capacityBytes?: number; usedBytes?: number }) =>
    plane.db.update(storagePool).set(values).where(eq(storagePool.id, fake.poolId));

  async function templateOf(sizeBytes: number | null): Promise<string> {
    const templateId = await scenario.template();
    await plane.db.update(vmTemplate).set({ sizeBytes }).where(eq(vmTemplate.id, templateId));
    return templateId;
  }

  async function claim(templateId: string): Promise<Deployment | undefined> {
    const { vmId, job } = await scenario.vm(templateId);
    const claimed = await activities.claimHost({ vmId, jobId: job.id, excludedHostIds: [] });
    return claimed.outcome === 'claimed' ? claimed.deployment : undefined;
  }

  /** A deployment that waits for its template, and the copy's row. */
  async function join(templateId: string) {
    const deployment = (await claim(templateId))!;
    expect(await activities.joinStage(stageRequestOf(deployment))).toEqual({ outcome: 'waiting' });
    const copy = (await copies()).find((row) => row.templateId === templateId)!;
    return { deployment, copy, input: stageOf(deployment, copy.id) };
  }

  const stageOf = ({ poolId, templateId, generation, hostId, accountId }: Deployment, spoolRefId: string) => ({
    spoolRefId,
    poolId,
    templateId,
    generation,
    preferredHostId: hostId,
    accountId,
    isPrestaged: false,
    excludedHostIds: [],
  });

  async function begin(input: ReturnType<typeof stageOf>) {
    const begun = await activities.beginStage(input);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    return begun.plan;
  }

  it('counts what is expected from the moment that it is asked for, once, and what is taken when it is there', async () => {
    const { deployment, copy, input } = await join(await templateOf(10 * GiB));
    await activities.joinStage(stageRequestOf(deployment));
    expect(await pool()).toMatchObject({ templateBytes: 10 * GiB });
    const plan = await begin(input);
    const installed = { installPath: 'x', virtualSizeBytes: 10 * GiB, physicalSizeBytes: 3 * GiB, allocatedBytes: GiB };
    for (const _ of ['first', 'repeated']) {
      await activities.finishStage({ spoolRefId: copy.id, copy: plan.copy, installed });
      expect(await pool()).toMatchObject({ templateBytes: GiB });
    }
    expect(await copies()).toMatchObject([{ state: 'Ready', reservedBytes: GiB, physicalSizeBytes: 3 * GiB }]);
  });

  it('is given back once when a stage fails, and when nobody wants it any more', async () => {
    const failed = await join(await templateOf(10 * GiB));
    const left = await join(await templateOf(20 * GiB));
    expect(await pool()).toMatchObject({ templateBytes: 30 * GiB });
    const failure = { code: 'SLIPWAY_SOURCES_EXHAUSTED' as const, message: 'no source' };
    for (const _ of ['first', 'repeated']) await activities.failStage({ spoolRefId: failed.copy.id, failure });
    expect(await pool()).toMatchObject({ templateBytes: 20 * GiB });
    await plane.db.delete(stageWaiter);
    for (const _ of ['first', 'repeated']) await activities.abandonStage({ spoolRefId: left.copy.id });
    expect(await pool()).toMatchObject({ templateBytes: 0 });
    expect(await copies()).toEqual([]);
  });

  it('is refused to all but as many templates as fit, although each saw the same free space', async () => {
    const templates = await Promise.all(Array.from({ length: 5 }, () => templateOf(10 * GiB)));
    const deployments: Deployment[] = [];
    for (const templateId of templates) deployments.push((await claim(templateId))!);
    // 25 for the five disks of 10, and 21: two templates fit.
    await poolHas({ capacityBytes: 46 * GiB });
    const joined = await Promise.allSettled(
      deployments.map((deployment) => activities.joinStage(stageRequestOf(deployment))),
    );
    const refused = joined.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toHaveLength(3);
    for (const reason of refused) expect(reason).toMatchObject({ code: 'SLIPWAY_POOL_FULL' });
    expect(await pool()).toMatchObject({ templateBytes: 20 * GiB });
    expect(await copies()).toHaveLength(2);
  });

  it('counts beside the disks, which may be promised twice what is left, when a host is chosen', async () => {
    // Each VM needs 5 for its disk of 10, and the first the template's 10.
    const templateId = await templateOf(10 * GiB);
    await poolHas({ capacityBytes: 15 * GiB - 1 });
    expect(await claim(templateId)).toBeUndefined();
    await poolHas({ capacityBytes: 20 * GiB });
    await join(templateId);
    expect(await claim(templateId)).toBeDefined();
    expect(await claim(templateId)).toBeUndefined();
    expect(await pool()).toMatchObject({ templateBytes: 10 * GiB, allocatedBytes: 20 * GiB });
  });

  it("knows other people's files on the pool's file system", async () => {
    await poolHas({ capacityBytes: 100 * GiB, usedBytes: 90 * GiB });
    expect(await claim(await templateOf(10 * GiB))).toBeUndefined();
  });

  it('is not guessed for a template whose size no source tells', async () => {
    const { copy } = await join(await templateOf(null));
    expect(copy).toMatchObject({ reservedBytes: 0 });
  });

  it('can never be less than nothing', async () => {
    await expect(
      plane.db.update(storagePool).set({ templateBytes: -1 }).where(eq(storagePool.id, fake.poolId)),
    ).rejects.toMatchObject({ cause: { constraint_name: 'storage_pool_template_bytes_not_negative' } });
  });

  describe('the epochs of a copy', () => {
    it('are never those of an earlier life of it, whose files a host may still write to', async () => {
      const templateId = await templateOf(GiB);
      const first = await join(templateId);
      const { copy } = await begin(first.input);
      const failure = { code: 'SLIPWAY_POOL_IO' as const, message: 'input/output error' };
      await activities.failStage({ spoolRefId: first.copy.id, failure });
      const again = await begin((await join(templateId)).input);
      expect(again.copy.epoch).toBeGreaterThan(copy.epoch);
      expect(again.resumeFrom).toBeNull();
    });

    it('are one for a try that asks twice, and tell the next one where the last was', async () => {
      const { copy: row, input } = await join(await templateOf(GiB));
      const first = await begin(input);
      const second = await activities.nextEpoch({ spoolRefId: row.id, copy: first.copy });
      expect(await activities.nextEpoch({ spoolRefId: row.id, copy: first.copy })).toEqual(second);
      expect(second.epoch).toBeGreaterThan(first.copy.epoch);
      const elsewhere = await begin(input);
      expect(elsewhere.resumeFrom).toEqual(second);
      for (const copy of [first.copy, second]) {
        const late = activities.nextEpoch({ spoolRefId: row.id, copy });
        await expect(late).rejects.toMatchObject({ code: 'SLIPWAY_FENCED' });
      }
    });
  });
});
