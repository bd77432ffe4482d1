import type { WorkflowHandle } from '@temporalio/client';
import { eq } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import type { JobRow } from '../../db/jobs.js';
import {
  account,
  configuration,
  dataCenter,
  host,
  JOB_STATUS,
  stageWaiter,
  templateSpoolRef,
} from '../../db/schema/index.js';
import { changeScopedSetting } from '../../db/change-scoped-setting.js';
import { writeSettings } from '../../db/settings.js';
import { findTransfer } from '../../client/find-transfer.js';
import { bandwidthWorkflowId, hostWorkflowId, stageWorkflowId, vmWorkflowId } from '../../shared/workflow-ids.js';
import { createProgressRecorder } from '../../workers/control-worker/progress-recorder.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import { tellBandwidth } from '../../workers/control-worker/tell-bandwidth.js';
import { sweepStages } from '../../workers/control-worker/sweep-stages.js';
import { wakeForgotten } from '../../workers/control-worker/wake-forgotten.js';
import type { DownloadTierInput } from '../../activities/host/download-tier.js';
import type { DownloadSettings } from '../../shared/download-settings.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { downloadForever, hang, refusal } from '../support/host-answers.js';
import { resetWorkflow } from '../support/reset-workflow.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';
import { stageRequestOf } from '../support/stage-request.js';

const LIMIT = 'direct.download.bandwidth.host';

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

const isScheduledDownload = (event: NonNullable<History['events']>[number]): boolean =>
  event.activityTaskScheduledEventAttributes?.activityType?.name === 'downloadTier';

describe('stageTemplate', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;

  beforeEach(async () => {
    fake = await join('host-1');
  });

  const copies = () => plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, fake.poolId));

  /** Downloads until it is told to stop; `begun` is how often, `ended` how often it has stopped. */
  const countedDownload = (downloads: { begun: number; ended: number }) => async () => {
    downloads.begun++;
    try {
      return await downloadForever();
    } finally {
      downloads.ended++;
    }
  };

  it('leaves a waiter alone when it is started once more after the copy became Ready', async () => {
    const templateId = await scenario.template();
    await scenario.deploy(templateId);
    const [copy] = await copies();
    const waiter = { workflowId: vmWorkflowId('waiter'), spoolRefId: copy!.id, state: 'Ready' as const };
    await plane.db.insert(stageWaiter).values(waiter);
    const again = await plane.client.workflow.start('stageTemplate', {
      workflowId: stageWorkflowId(fake.poolId, templateId, 1),
      taskQueue: 'control',
      args: [{ spoolRefId: copy!.id, poolId: fake.poolId, templateId, generation: 1, preferredHostId: fake.hostId }],
    });
    await again.result();
    expect(await plane.db.select().from(stageWaiter)).toMatchObject([waiter]);
    await plane.db.delete(stageWaiter);
  });

  it('tells a waiter of its failure again, when the first answer was lost, and begins no other download', async () => {
    const { joinStage, leaveStage, claimHost } = createControlActivities(plane);
    const { vmId, job } = await scenario.vm(await scenario.template());
    const claim = await claimHost({ vmId, jobId: job.id, excludedHostIds: [] });
    if (claim.outcome !== 'claimed') throw new Error(claim.outcome);
    const failure = { code: 'SLIPWAY_SOURCES_EXHAUSTED' as const, message: 'no source' };
    await plane.db.insert(stageWaiter).values({ workflowId: vmWorkflowId(vmId), state: 'Failed', failure });
    for (const _ of ['first', 'second']) {
      expect(await joinStage(stageRequestOf(claim.deployment))).toEqual({ outcome: 'failed', failure });
    }
    await leaveStage(stageRequestOf(claim.deployment));
    expect(await plane.db.select().from(stageWaiter)).toEqual([]);
    expect(await copies()).toEqual([]);
  });

  it('gives a host as much time as the settings give servers: no host is taken for silent that is patient', async () => {
    await writeSettings(plane.db, {
      'direct.download.total.timeout': String(20 * 86_400),
      'direct.download.connect.timeout': String(3_600_000),
    });
    const templateId = await scenario.template();
    await scenario.deploy(templateId);
    const stage = plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1));
    const { events } = await stage.fetchHistory();
    const givenS = (type: string): number => {
      const scheduled = events!.map((one) => one.activityTaskScheduledEventAttributes);
      return Number(scheduled.find((one) => one?.activityType?.name === type)!.startToCloseTimeout!.seconds);
    };
    expect(givenS('downloadTier')).toBeGreaterThan(20 * 86_400);
    expect(givenS('readSources')).toBeGreaterThan(6 * 3600);
    await plane.db.delete(configuration);
  });

  it('goes on for a deployment that joined while it was being cancelled', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', countedDownload(downloads));
    const templateId = await scenario.template();
    const { job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    fake.override('downloadTier', undefined);
    await plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1)).cancel();
    expect(await scenario.ended(job, 15_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(downloads.ended).toBe(1);
  });

  it('ends when the only deployment that waited was terminated, and nobody is left in its list', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', countedDownload(downloads));
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).terminate();
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.failed });
    await waitFor('the download has ended', async () => downloads.ended === 1);
    await waitFor('the copy is forgotten', async () => (await copies()).length === 0);
    const waiters = await plane.db
      .select()
      .from(stageWaiter)
      .where(eq(stageWaiter.workflowId, vmWorkflowId(vmId)));
    expect(waiters).toEqual([]);
  });

  it('leaves one file when its workflow was reset after the download', async () => {
    const templateId = await scenario.template({ checksum: `{SHA-256}${'0'.repeat(64)}` });
    fake.override('verifyChecksum', hang);
    const { vmId, job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('it is verified', async () => fake.timesAsked('verifyChecksum') > 0);
    const [begun] = await copies();
    expect(fake.copies).toContain(`${templateId}.g1.e${begun!.epoch}`);
    fake.override('verifyChecksum', undefined);
    await resetWorkflow(plane.client, { workflowId: stageWorkflowId(fake.poolId, templateId, 1) });
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    const [copy] = await copies();
    expect([...fake.copies].filter((name) => name.startsWith(templateId))).toEqual([copy!.installPath]);
    await scenario.destroy(vmId, true);
  });

  it('keeps the copy that disks stand on, when it was reset after it had succeeded and fails then', async () => {
    const templateId = await scenario.template({ checksum: `{SHA-256}${'0'.repeat(64)}` });
    const { vmId } = await scenario.deploy(templateId);
    const [copy] = await copies();
    const waiter = { workflowId: vmWorkflowId('late'), spoolRefId: copy!.id, state: 'Ready' as const };
    await plane.db.insert(stageWaiter).values(waiter);
    fake.override('verifyChecksum', () => Promise.reject(refusal('SLIPWAY_CHECKSUM_MISMATCH', 'other bytes by now')));
    // Begun, and nothing done yet on the host.
    await resetWorkflow(plane.client, { workflowId: stageWorkflowId(fake.poolId, templateId, 1) }, 1);
    await plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1)).result();
    expect(fake.copies).toContain(copy!.installPath);
    expect(await copies()).toEqual([copy]);
    expect(await plane.db.select().from(stageWaiter)).toMatchObject([waiter]);
    await plane.db.delete(stageWaiter);
    fake.override('verifyChecksum', undefined);
    await scenario.destroy(vmId, true);
  });

  it('forgets who was put in its list after he had gone, and nobody who is there', async () => {
    const created = new Date(Date.now() - 3_600_000).toISOString();
    const there = hostWorkflowId(fake.hostId);
    const waiters = [there, vmWorkflowId('gone')].map((workflowId) => ({ workflowId, created }));
    await plane.db.insert(stageWaiter).values([...waiters, { workflowId: vmWorkflowId('about to start') }]);
    await sweepStages(plane);
    const left = (await plane.db.select().from(stageWaiter)).map(({ workflowId }) => workflowId);
    expect(left.toSorted()).toEqual([there, vmWorkflowId('about to start')].toSorted());
    await plane.db.delete(stageWaiter);
  });

  it('is forgotten when it was terminated and nobody waits any more, and not before', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', countedDownload(downloads));
    const templateId = await scenario.template();
    const { vmId, job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    await plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1)).terminate();
    await sweepStages(plane);
    expect(await copies()).toHaveLength(1);
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
    await scenario.ended(job);
    await sweepStages(plane);
    expect(await copies()).toEqual([]);
  });

  it('goes on with another copy that somebody waits for when it has just given up its own', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', countedDownload(downloads));
    const templateId = await scenario.template();
    const given = await scenario.vm(templateId);
    await scenario.start(given.job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    fake.override('downloadTier', undefined);
    // As when a stage has failed: its rows are gone, and the workflow has not closed yet.
    await plane.client.workflow.getHandle(vmWorkflowId(given.vmId)).terminate();
    await plane.db.delete(stageWaiter);
    await plane.db.delete(templateSpoolRef).where(eq(templateSpoolRef.poolId, fake.poolId));
    const { job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('it is waited for', async () => (await plane.db.$count(stageWaiter)) === 1);
    await plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1)).cancel();
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
  });

  describe('whose workflow was terminated while somebody waits', () => {
    let stage: WorkflowHandle;
    let job: JobRow;
    const ageWaiter = () => plane.db.update(stageWaiter).set({ created: new Date(Date.now() - 60_000).toISOString() });

    beforeEach(async () => {
      const downloads = { begun: 0, ended: 0 };
      fake.override('downloadTier', countedDownload(downloads));
      const templateId = await scenario.template();
      ({ job } = await scenario.vm(templateId));
      await scenario.start(job);
      await waitFor('the download has begun', async () => downloads.begun === 1);
      stage = plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1));
      await stage.terminate();
      fake.override('downloadTier', undefined);
    });

    it('is begun again by one who waits, not before he should have been told', async () => {
      await wakeForgotten(plane);
      expect((await stage.describe()).status.name).toBe('TERMINATED');
      await ageWaiter();
      await wakeForgotten(plane);
      expect((await scenario.ended(job)).jobStatus).toBe(JOB_STATUS.succeeded);
      expect((await stage.describe()).status.name).toBe('COMPLETED');
    });

    it('is not begun again when the copy is there', async () => {
      await plane.db
        .update(templateSpoolRef)
        .set({ state: 'Ready', installPath: 'template', downloadState: 'DOWNLOADED' })
        .where(eq(templateSpoolRef.poolId, fake.poolId));
      await ageWaiter();
      await wakeForgotten(plane);
      expect((await scenario.ended(job)).jobStatus).toBe(JOB_STATUS.succeeded);
      expect((await stage.describe()).status.name).toBe('TERMINATED');
    });
  });

  describe('when all transfer slots of a host are taken', () => {
    const someone = '11111111-1111-4111-8111-111111111111';
    const another = '22222222-2222-4222-8222-222222222222';
    /** Templates in the order in which their downloads began. */
    let order: string[];
    let release: () => void;

    beforeEach(async () => {
      await fake.stop();
      fake.transferSlots = 1;
      await fake.start();
      order = [];
      const { opened: released, open } = gate();
      release = open;
      fake.override('downloadTier', async ({ copy, tier: { mirrors } }) => {
        order.push(copy.templateId);
        await released;
        return {
          sizeBytes: 1000,
          resumedFromBytes: 0,
          digests: [],
          mirrors: mirrors.map((url) => ({ url, outcome: 'used' as const, bytes: 1000 })),
        };
      });
    });

    const stageOf = (templateId: string) => stageWorkflowId(fake.poolId, templateId, 1);

    /** Asks for a template of its own, or for one that is there. */
    async function want(accountId: string, isPrestaged: boolean, templateId?: string): Promise<string> {
      const wanted = templateId ?? (await scenario.template());
      await createControlActivities(plane).joinStage({
        workflowId: `waiter-${crypto.randomUUID()}`,
        accountId,
        hostId: fake.hostId,
        hostName: fake.name,
        poolId: fake.poolId,
        templateId: wanted,
        templateName: 'template',
        generation: 1,
        use: isPrestaged ? { type: 'prestage' } : { type: 'rootDisk', volumeId: crypto.randomUUID(), token: 2 },
      });
      return wanted;
    }
    const isQueued = (templateId: string) =>
      waitFor(`the download of ${templateId} is queued`, async () =>
        Boolean((await findTransfer(plane.client, stageOf(templateId)))?.isQueued),
      );
    const takeAllSlots = async () => {
      await want(someone, false);
      await waitFor('the slot is taken', () => Promise.resolve(order.length === 1));
    };
    const allHaveEnded = (templateIds: string[]) =>
      Promise.all(templateIds.map((id) => plane.client.workflow.getHandle(stageOf(id)).result()));

    it('lets accounts take turns, and what nobody waits for comes last', async () => {
      await takeAllSlots();
      const prestaged = [await want(another, true), await want(someone, true)];
      const many: string[] = [];
      for (let index = 0; index < 20; index++) many.push(await want(someone, false));
      await Promise.all(many.map(isQueued));
      const single = await want(another, false);
      await Promise.all([single, ...prestaged].map(isQueued));
      release();
      await allHaveEnded([...many, ...prestaged, single]);
      expect(order.slice(-2).toSorted()).toEqual(prestaged.toSorted());
      // Behind what the server had in its hand, and not behind the whole queue of the other account.
      expect(order.indexOf(single)).toBeLessThan(10);
    });

    it('gives a download that was to come ahead of time another place when somebody waits for it', async () => {
      await takeAllSlots();
      const awaited = await want(someone, true);
      const others = [await want(someone, true), await want(someone, true), await want(someone, true)];
      await Promise.all([awaited, ...others].map(isQueued));
      await want(another, false, awaited);
      await waitFor('it is queued anew', async () => {
        const { events } = await plane.client.workflow.getHandle(stageOf(awaited)).fetchHistory();
        return (events ?? []).filter(isScheduledDownload).length === 2;
      });
      // Whoever comes next changes nothing any more.
      await want(someone, false, awaited);
      release();
      await allHaveEnded([awaited, ...others]);
      // Behind what the server had in its hand, and not where a download without a hurry is put.
      expect(order.indexOf(awaited)).toBeLessThan(others.length);
      const { events } = await plane.client.workflow.getHandle(stageOf(awaited)).fetchHistory();
      // When it was begun, and when somebody came to wait for it.
      expect(events!.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(2);
    });

    it('learns of other limits while it runs, once', async () => {
      await writeSettings(plane.db, { [LIMIT]: '1' });
      await takeAllSlots();
      // Nobody has looked while that was the limit.
      await writeSettings(plane.db, { [LIMIT]: '0' });
      const begunMs = () =>
        (fake.calls.find(({ activity }) => activity === 'downloadTier')!.input as DownloadTierInput).settings.bandwidth
          .asOfMs!;
      const told = async () => {
        await tellBandwidth(plane);
        await plane.client.workflow.getHandle(bandwidthWorkflowId(fake.hostId)).result();
        const inputs = fake.calls.flatMap(({ activity, input }) =>
          activity === 'setBandwidth' ? [input as { caps: DownloadSettings['bandwidth'] }] : [],
        );
        return inputs.map(({ caps: { asOfMs, ...caps } }) => {
          // What the download began with, which it brings with each of its tries, is older.
          expect(asOfMs).toBeGreaterThan(begunMs());
          return { caps };
        });
      };
      const first = { caps: { host: 0, pool: 0, origin: 0 } };
      const second = { caps: { host: 2 * 1024 ** 2, pool: 0, origin: 0 } };
      expect(await told()).toEqual([first]);
      await writeSettings(plane.db, { [LIMIT]: '2' });
      expect(await told()).toEqual([first, second]);
      expect(await told()).toEqual([first, second]);
      // What its zone and then its cluster have goes before what counts for all; another zone's is not for it.
      const [other] = await plane.db.insert(dataCenter).values({ name: 'elsewhere' }).returning();
      const { id: accountId } = (await plane.db.select().from(account))[0]!;
      const setLimit = (id: string, scope: 'Zone' | 'Cluster', value: string | undefined) =>
        changeScopedSetting(plane.db, { scope, id }, { name: LIMIT, value, accountId });
      await setLimit(other!.id, 'Zone', '7');
      expect(await told()).toEqual([first, second]);
      await setLimit(plane.seeded.zoneId, 'Zone', '3');
      const third = { caps: { ...first.caps, host: 3 * 1024 ** 2 } };
      expect(await told()).toEqual([first, second, third]);
      await setLimit(plane.seeded.clusterId, 'Cluster', '0');
      expect(await told()).toEqual([first, second, third, first]);
      await writeSettings(plane.db, { [LIMIT]: '0' });
      await setLimit(plane.seeded.zoneId, 'Zone', undefined);
      release();
    });

    it('may wait without limit, is shown as queued, and its host stays Up', async () => {
      await takeAllSlots();
      const templateId = await want(another, false);
      await isQueued(templateId);
      const record = createProgressRecorder(plane);
      await waitFor('it is shown', async () => {
        await record();
        return (await copies()).some((copy) => copy.templateId === templateId && copy.isQueued);
      });
      const { events } = await plane.client.workflow.getHandle(stageOf(templateId)).fetchHistory();
      const { scheduleToStartTimeout, scheduleToCloseTimeout } =
        events!.find(isScheduledDownload)!.activityTaskScheduledEventAttributes!;
      expect([scheduleToStartTimeout, scheduleToCloseTimeout].map((timeout) => Number(timeout?.seconds ?? 0))).toEqual([
        0, 0,
      ]);
      await fake.isStatus('Up');
      release();
      await allHaveEnded([templateId]);
      expect((await copies()).filter((copy) => copy.isQueued)).toEqual([]);
    });
  });

  it('survives a host worker that is stopped in an orderly way and started again', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', countedDownload(downloads));
    const { job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    await fake.stop();
    fake.override('downloadTier', undefined);
    await fake.start();
    expect(await scenario.ended(job, 30_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
  });

  it('has a host worker that has started since told the limits again, until it has answered', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', countedDownload(downloads));
    const { job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    await tellBandwidth(plane);
    await fake.stop();
    fake.override('setBandwidth', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'it is busy')));
    await fake.start();
    await waitFor('it goes on, and has said hello', async () => {
      const [self] = await plane.db.select().from(host).where(eq(host.id, fake.hostId));
      return downloads.begun === 2 && self?.bootId === fake.bootId;
    });
    const tell = async () => {
      await tellBandwidth(plane);
      await plane.client.workflow.getHandle(bandwidthWorkflowId(fake.hostId)).result();
    };
    await expect(tell()).rejects.toThrow('Workflow execution failed');
    fake.override('setBandwidth', undefined);
    for (const _ of ['again', 'not any more']) await tell();
    expect(fake.timesAsked('setBandwidth')).toBe(2);
    fake.override('downloadTier', undefined);
    await plane.client.workflow.getHandle(job.workflowId).cancel();
    await scenario.ended(job);
  });
});
