import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { eq } from 'drizzle-orm';
import { beginEviction } from '../../activities/control/evict.js';
import { createControlActivities } from '../../activities/control/index.js';
import { executeWorkflow } from '../../client/execute-workflow.js';
import {
  event,
  JOB_STATUS,
  stageWaiter,
  storagePool,
  storagePoolHostRef,
  templateSpoolRef,
  templateStoreRef,
  vmInstance,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import type { PrestageProgress, TemplateCopyRef } from '../../shared/templates.js';
import { prestageWorkflowId, templateWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import { addZone } from '../support/add-zone.js';
import { type ControlPlane, startControlPlane } from '../support/control-plane.js';
import { FakeHost, refusal } from '../support/fake-host.js';
import { Scenario } from '../support/scenario.js';
import { canMount, mountSmallFileSystem } from '../support/small-file-system.js';
import { makePool } from '../support/test-pool.js';
import { waitFor } from '../support/wait-for.js';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

describe('templates', () => {
  let plane: ControlPlane;
  let scenario: Scenario;
  const hosts: FakeHost[] = [];

  beforeAll(async () => {
    plane = await startControlPlane();
    scenario = new Scenario(plane);
  });
  afterAll(() => plane.stop());
  afterEach(async () => {
    for (const fake of hosts.splice(0)) await fake.retire();
  });

  async function join(name: string, home = plane.seeded): Promise<FakeHost> {
    const fake = await FakeHost.join(plane, name, undefined, home);
    hosts.push(fake);
    await fake.isStatus('Up');
    return fake;
  }

  const copiesOf = (templateId: string) =>
    plane.db
      .select()
      .from(templateSpoolRef)
      .where(eq(templateSpoolRef.templateId, templateId))
      .orderBy(templateSpoolRef.generation);
  const templateOf = async (id: string) => (await plane.db.select().from(vmTemplate).where(eq(vmTemplate.id, id)))[0]!;
  const fileOf = ({ templateId, generation, epoch }: TemplateCopyRef) => `${templateId}.g${generation}.e${epoch}`;

  /** A gate that an activity waits at. */
  function gate() {
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    return { opened, open: () => open!() };
  }

  describe('of two zones', () => {
    let home: { clusterId: string; zoneId: string };
    let here: FakeHost;
    let there: FakeHost;
    beforeEach(async () => {
      home = await addZone(plane.db);
      here = await join('here');
      there = await join('there', { ...plane.seeded, ...home });
    });

    it('are registered by what one host says, and the second try is made in the other zone', async () => {
      await join('here-too');
      for (const fake of hosts) {
        if (fake !== there)
          fake.override('probeUrl', () => Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', 'no way')));
      }
      const templateId = await scenario.template({ isRegistering: true });
      const zoneIds = [plane.seeded.zoneId, home.zoneId];
      await executeWorkflow(plane.client, {
        workflowType: 'registerTemplate',
        workflowId: templateWorkflowId(templateId),
        input: { templateId, zoneIds, format: 'QCOW2' },
        searchAttributes: [],
        summary: 'register',
        timeoutMs: 30_000,
      });
      const refs = await plane.db.select().from(templateStoreRef).where(eq(templateStoreRef.templateId, templateId));
      expect(refs.map(({ dataCenterId }) => dataCenterId).toSorted()).toEqual(zoneIds.toSorted());
      const { pickValidationHost } = createControlActivities(plane);
      for (let round = 0; round < 10; round++) {
        const asked = { zoneIds, excludedHostIds: [here.hostId] };
        expect(await pickValidationHost(asked)).toMatchObject({ hostId: there.hostId });
      }
    });

    it('are deployed in each, and deleted from one', async () => {
      const templateId = await scenario.template({ zoneIds: [plane.seeded.zoneId, home.zoneId] });
      const first = await scenario.deploy(templateId);
      const second = await scenario.deploy(templateId, { zoneId: home.zoneId });
      expect(await scenario.vmRow(first.vmId)).toMatchObject({ state: 'Running', hostId: here.hostId });
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
      expect([here.copies.size, there.copies.size]).toEqual([1, 0]);
    });
  });

  describe('brought to pools ahead of time', () => {
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
      expect(await prestage(templateId, { poolId: one.poolId })).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect([one.timesAsked('downloadTier'), two.timesAsked('downloadTier')]).toEqual([1, 0]);
      const old = new Date(Date.now() - 10 * 86_400_000).toISOString();
      await plane.db.update(templateSpoolRef).set({ unusedSince: old }).where(eq(templateSpoolRef.poolId, one.poolId));

      expect(await prestage(templateId)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      // The pool that had it is not asked, but it is wanted there once more.
      expect([one.timesAsked('downloadTier'), two.timesAsked('downloadTier')]).toEqual([1, 1]);
      await evictUnusedCopies(plane);
      await evictUnusedCopies(plane);
      expect((await copiesOf(templateId)).map(({ state }) => state)).toEqual(['Ready', 'Ready']);
      expect(await plane.db.select().from(stageWaiter)).toEqual([]);

      expect((await scenario.deploy(templateId)).job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
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
          tiers: [{ priority: 1, mirrors: [url.display], sealed: 'x' }],
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
      [
        'a Disabled pool',
        { status: 'Disabled' as const },
        (fake: FakeHost) => ({ poolId: fake.poolId }),
        'The pool is',
      ],
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
      expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.cancelled });
      expect(await plane.db.select().from(stageWaiter)).toEqual([]);
      open();
      await waitFor('the copy is forgotten', async () => (await copiesOf(templateId)).length === 0);
    });

    it('can be deleted meanwhile: what has come goes, and no more comes', async () => {
      const fake = await join('host-1');
      const { opened, open } = gate();
      fake.override('verifyChecksum', () => opened);
      const templateId = await scenario.template({ checksum: `{MD5}${'a'.repeat(32)}` });
      const job = await begin(templateId);
      await waitFor('it is on its way', async () => fake.timesAsked('verifyChecksum') === 1);
      expect(await scenario.deleteTemplate(templateId)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      open();
      expect(await scenario.ended(job)).toMatchObject({
        jobResult: { errortext: expect.stringContaining('is in the zone no more') as string },
      });
      await evictUnusedCopies(plane);
      await waitFor('the copy is gone', async () => (await copiesOf(templateId)).length === 0);
      expect(fake.copies.size).toBe(0);
    });
  });

  describe('refreshed', () => {
    let fake: FakeHost;
    beforeEach(async () => {
      fake = await join('host-1');
    });
    const begin = (templateId: string, input: { checksum?: string | null } = {}) =>
      scenario.beginTemplateJob('refreshTemplate', templateId, input);
    const refresh = async (...call: Parameters<typeof begin>) => scenario.ended(await begin(...call));
    const downloads = () =>
      fake.calls
        .filter(({ activity }) => activity === 'downloadTier')
        .map(({ input }) => (input as { copy: TemplateCopyRef }).copy.generation);
    const generationUnder = async (vmId: string) => {
      const [row] = await plane.db
        .select({ generation: templateSpoolRef.generation })
        .from(volumes)
        .innerJoin(templateSpoolRef, eq(templateSpoolRef.id, volumes.templateSpoolRefId))
        .where(eq(volumes.instanceId, vmId));
      return row?.generation;
    };

    /** A deployment that waits at `gate` for generation 1, and the template refreshed meanwhile. */
    async function refreshDuringDownload(downloaded: (generation: number) => Promise<void>) {
      const templateId = await scenario.template();
      fake.override('downloadTier', async ({ copy, tier }) => {
        fake.copies.add(fileOf(copy));
        await downloaded(copy.generation);
        const mirrors = tier.mirrors.map((url) => ({ url, outcome: 'used' as const, bytes: 1000 }));
        return { sizeBytes: 1000, resumedFromBytes: 0, digests: [], mirrors };
      });
      const early = await scenario.vm(templateId);
      await scenario.start(early.job);
      await waitFor('generation 1 is on its way', async () => downloads().length === 1);
      expect(await refresh(templateId)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      return { templateId, early };
    }

    it('come again, beside the copy that disks stand on, which goes with the last of them', async () => {
      const templateId = await scenario.template({ checksum: `{MD5}${'a'.repeat(32)}` });
      const { vmId: oldVm } = await scenario.deploy(templateId);
      const checksum = `{MD5}${'b'.repeat(32)}`;
      fake.override('probeUrl', () =>
        Promise.resolve({ isMetalink: false, hasPieces: false, sizeBytes: 1500, virtualSizeBytes: 3000, mirrors: [] }),
      );
      expect(await refresh(templateId, { checksum })).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect(await templateOf(templateId)).toMatchObject({ generation: 2, sizeBytes: 3000, checksum });
      expect(await copiesOf(templateId)).toMatchObject([{ generation: 1, state: 'Ready' }]);

      const { vmId: newVm } = await scenario.deploy(templateId);
      expect(downloads()).toEqual([1, 2]);
      expect([await generationUnder(oldVm), await generationUnder(newVm)]).toEqual([1, 2]);
      expect(await copiesOf(templateId)).toMatchObject([
        { generation: 1, state: 'Superseded' },
        { generation: 2, state: 'Ready' },
      ]);
      const verified = fake.calls.filter(({ activity }) => activity === 'verifyChecksum').map(({ input }) => input);
      expect(verified).toMatchObject([
        { expected: [{ value: 'a'.repeat(32) }] },
        { expected: [{ value: 'b'.repeat(32) }] },
      ]);

      await evictUnusedCopies(plane);
      await scenario.operate('stopVirtualMachine', oldVm, { forced: true, patienceMs: 0 });
      await scenario.operate('startVirtualMachine', oldVm);
      expect(await scenario.vmRow(oldVm)).toMatchObject({ state: 'Running' });
      await scenario.destroy(oldVm, true);
      await evictUnusedCopies(plane);
      await waitFor('the old copy is gone', async () => (await copiesOf(templateId)).length === 1);
      expect([...fake.copies]).toEqual([fileOf((await copiesOf(templateId))[0]!)]);
    });

    it('leave pools where nothing stands on them at once', async () => {
      const templateId = await scenario.template();
      const { vmId } = await scenario.deploy(templateId);
      await scenario.destroy(vmId, true);
      await refresh(templateId);
      await evictUnusedCopies(plane);
      await waitFor('the old copy is gone', async () => (await copiesOf(templateId)).length === 0);
    });

    it('stay as they are when no host can read the URL', async () => {
      fake.override('probeUrl', () => Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', '404')));
      const templateId = await scenario.template({ checksum: `{MD5}${'a'.repeat(32)}` });
      expect(await refresh(templateId, { checksum: null })).toMatchObject({
        jobStatus: JOB_STATUS.failed,
        jobResult: { slipwaycode: 'SLIPWAY_URL_VALIDATION', errortext: expect.stringContaining('404') as string },
      });
      expect(await templateOf(templateId)).toMatchObject({ generation: 1, checksum: `{MD5}${'a'.repeat(32)}` });
    });

    it('give who waits for the old one the old one, and who comes later the new one, which is not waited for', async () => {
      const { opened, open } = gate();
      const { templateId, early } = await refreshDuringDownload((generation) =>
        generation === 1 ? opened : Promise.resolve(),
      );
      const late = await scenario.deploy(templateId);
      expect(late.job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect(await copiesOf(templateId)).toMatchObject([
        { generation: 1, state: 'Downloading' },
        { generation: 2, state: 'Ready' },
      ]);
      open();
      expect(await scenario.ended(early.job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect(await copiesOf(templateId)).toMatchObject([
        { generation: 1, state: 'Superseded' },
        { generation: 2, state: 'Ready' },
      ]);
      expect([await generationUnder(early.vmId), await generationUnder(late.vmId)]).toEqual([1, 2]);
    });

    it('give who waited for the old one in vain the new one', async () => {
      const { opened, open } = gate();
      const { templateId, early } = await refreshDuringDownload(async (generation) => {
        if (generation === 2) return;
        await opened;
        throw refusal('SLIPWAY_CHECKSUM_MISMATCH', 'the file has changed');
      });
      open();
      expect(await scenario.ended(early.job, 60_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect(await generationUnder(early.vmId)).toBe(2);
      expect(await copiesOf(templateId)).toMatchObject([{ generation: 2, state: 'Ready' }]);
      expect(await plane.db.select().from(stageWaiter)).toEqual([]);
    });
  });

  // Needs root, who may mount: a file system of its own is what can be full without harm.
  (canMount ? it : it.skip)('that nothing uses leave a pool that is full, which only its host knows', async () => {
    const fileSystem = await mountSmallFileSystem(8 * MiB);
    try {
      const fake = await join('host-1');
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
      expect((await scenario.deploy(second)).job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
      expect(await copiesOf(first)).toEqual([]);
      const [copy] = await copiesOf(second);
      expect(await pool.list()).toEqual(expect.arrayContaining([copy!.installPath]));
      expect((await pool.list()).filter((name) => name.startsWith(first))).toEqual([]);
    } finally {
      await fileSystem.remove();
    }
  });

  it('in the drive of a VM are in use: they neither leave the pool nor can be deleted', async () => {
    await join('host-1');
    const { vmId } = await scenario.deploy(await scenario.template());
    const isoId = await scenario.template({ format: 'ISO' });
    const { zoneId } = plane.seeded;
    await scenario.ended(
      await scenario.beginTemplateJob('prestageTemplate', isoId, { zoneId }, prestageWorkflowId(isoId, zoneId)),
    );
    const [copy] = await copiesOf(isoId);
    const insert = (isoSpoolRefId: string | null) =>
      plane.db
        .update(vmInstance)
        .set({ isoId: isoSpoolRefId && isoId, isoSpoolRefId })
        .where(eq(vmInstance.id, vmId));
    await insert(copy!.id);
    expect(await beginEviction(plane, copy!.id)).toBe(false);
    expect((await scenario.deleteTemplate(isoId)).jobResult).toMatchObject({
      errortext: expect.stringContaining("Unable to delete iso, as it's used by other vms.") as string,
    });
    await insert(null);
    expect(await scenario.deleteTemplate(isoId)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    await evictUnusedCopies(plane);
    await waitFor('the copy is gone', async () => (await copiesOf(isoId)).length === 0);
  });
});
