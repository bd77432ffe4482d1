import { writeFile } from 'node:fs/promises';
import { eq } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import { stageWaiter, storagePool, templateSpoolRef, vmTemplate, volumes } from '../../db/schema/index.js';
import type { Deployment } from '../../shared/virtual-machines.js';
import type { FakeHost } from '../support/fake-host.js';
import { makePool } from '../support/test-pool.js';
import { itUnless } from '../support/unless.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { SUCCEEDED } from '../support/job-ends.js';
import { mountObstacle, mountSmallFileSystem } from '../support/small-file-system.js';
import { stageRequestOf } from '../support/stage-request.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

/** Only what is counted matters here, and no stage is started, but for the pool that is full indeed. */
describe('the space of templates on a pool', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;
  let activities: ReturnType<typeof createControlActivities>;

  beforeEach(async () => {
    // Stages are not started: who waits calls joinStage, and the tests end them.
    const nothing = () => Promise.resolve();
    const workflow = { start: nothing, signalWithStart: nothing, getHandle: () => ({ signal: nothing }) };
    activities = createControlActivities({ ...plane, client: { workflow } as never });
    fake = await join('host-1');
  });
  afterEach(async () => {
    await plane.db.delete(stageWaiter);
  });

  const pool = async () => (await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId)))[0]!;
  const copies = () => plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, fake.poolId));
  const copiesOf = async (templateId: string) => (await copies()).filter((row) => row.templateId === templateId);
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
  async function joined(templateId: string) {
    const deployment = (await claim(templateId))!;
    expect(await activities.joinStage(stageRequestOf(deployment))).toMatchObject({ outcome: 'waiting' });
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
    const { deployment, copy, input } = await joined(await templateOf(10 * GiB));
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
    const failed = await joined(await templateOf(10 * GiB));
    const left = await joined(await templateOf(20 * GiB));
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
    await joined(templateId);
    expect(await claim(templateId)).toBeDefined();
    expect(await claim(templateId)).toBeUndefined();
    expect(await pool()).toMatchObject({ templateBytes: 10 * GiB, allocatedBytes: 20 * GiB });
  });

  it("knows other people's files on the pool's file system", async () => {
    await poolHas({ capacityBytes: 100 * GiB, usedBytes: 90 * GiB });
    expect(await claim(await templateOf(10 * GiB))).toBeUndefined();
  });

  it('is not guessed for a template whose size no source tells', async () => {
    const { copy } = await joined(await templateOf(null));
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
      const first = await joined(templateId);
      const { copy } = await begin(first.input);
      const failure = { code: 'SLIPWAY_POOL_IO' as const, message: 'input/output error' };
      await activities.failStage({ spoolRefId: first.copy.id, failure });
      const again = await begin((await joined(templateId)).input);
      expect(again.copy.epoch).toBeGreaterThan(copy.epoch);
      expect(again.resumeFrom).toBeNull();
    });

    it('are one for a try that asks twice, and tell the next one where the last was', async () => {
      const { copy: row, input } = await joined(await templateOf(GiB));
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

  itUnless(
    mountObstacle,
    'is made by what nothing uses leaving a pool that is full, which only its host knows',
    async () => {
      const fileSystem = await mountSmallFileSystem(8 * MiB);
      try {
        const pool = await makePool(fileSystem.path);
        fake.override('downloadTier', async ({ copy, tier }) => {
          await writeFile(pool.partialPath(copy), Buffer.alloc(0));
          await pool.reserveSpaceFor(copy, 5 * MiB);
          await writeFile(pool.partialPath(copy), Buffer.alloc(5 * MiB, 1), { flag: 'r+' });
          const mirrors = tier.mirrors.map((url) => ({ url, outcome: 'used' as const, bytes: 5 * MiB }));
          return { sizeBytes: 5 * MiB, resumedFromBytes: 0, digests: [], mirrors };
        });
        fake.override('installTemplate', ({ copy, format }) => pool.installTemplate(copy, format, false));
        fake.override('discardTemplateCopy', ({ copy }) => pool.discardTemplateCopy(copy));
        fake.override('removeTemplateCopy', async ({ copy }) => ({
          overlays: await pool.evictTemplate(copy),
          usedBytes: (await pool.report()).usedBytes,
        }));
        fake.override('createRootVolume', (input) => pool.createRootVolume(input));
        const first = await scenario.template({ format: 'RAW' });
        await scenario.destroy((await scenario.deploy(first)).vmId, true);
        expect(await copiesOf(first)).toMatchObject([{ state: 'Ready' }]);
        await pool.deleteVolumesUpTo(
          (await plane.db.select().from(volumes).where(eq(volumes.templateId, first)))[0]!.id,
          99,
        );

        const second = await scenario.template({ format: 'RAW' });
        expect((await scenario.deploy(second)).job).toMatchObject(SUCCEEDED);
        expect(await copiesOf(first)).toEqual([]);
        const [copy] = await copiesOf(second);
        expect(await pool.list()).toEqual(expect.arrayContaining([copy!.installPath]));
        expect((await pool.list()).filter((name) => name.startsWith(first))).toEqual([]);
      } finally {
        await fileSystem.remove();
      }
    },
  );
});
