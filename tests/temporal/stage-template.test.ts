import { Context } from '@temporalio/activity';
import { eq } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import { JOB_STATUS, stageWaiter, templateSpoolRef } from '../../db/schema/index.js';
import { stageWorkflowId, vmWorkflowId } from '../../shared/workflow-ids.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import { sweepStages } from '../../workers/control-worker/sweep-stages.js';
import { type ControlPlane, startControlPlane } from '../support/control-plane.js';
import { FakeHost } from '../support/fake-host.js';
import { Scenario } from '../support/scenario.js';
import { waitFor } from '../support/wait-for.js';
import { stageRequestOf } from '../support/stage-request.js';

describe('stageTemplate', () => {
  let plane: ControlPlane;
  let scenario: Scenario;
  let fake: FakeHost;

  beforeAll(async () => {
    plane = await startControlPlane();
    scenario = new Scenario(plane);
  });
  afterAll(() => plane.stop());
  beforeEach(async () => {
    fake = await FakeHost.join(plane, 'host-1');
    await fake.isStatus('Up');
  });
  afterEach(() => fake.retire());

  const copies = () => plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, fake.poolId));

  /** Downloads until it is told to stop; `begun` is how often, `ended` how often it has stopped. */
  const downloadForever = (downloads: { begun: number; ended: number }) => async () => {
    downloads.begun++;
    const { cancelled, heartbeat } = Context.current();
    const beat = setInterval(() => heartbeat(), 100);
    try {
      return await cancelled;
    } finally {
      downloads.ended++;
      clearInterval(beat);
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

  it('goes on for a deployment that joined while it was being cancelled', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', downloadForever(downloads));
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
    fake.override('downloadTier', downloadForever(downloads));
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).terminate();
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.failed });
    await waitFor('the download has ended', async () => downloads.ended === 1);
    await waitFor('the copy is forgotten', async () => (await copies()).length === 0);
    expect(await plane.db.select().from(stageWaiter)).toEqual([]);
  });

  it('is forgotten when it was terminated and nobody waits any more, and not before', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', downloadForever(downloads));
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

  it('survives a host worker that is stopped in an orderly way and started again', async () => {
    const downloads = { begun: 0, ended: 0 };
    fake.override('downloadTier', downloadForever(downloads));
    const { job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads.begun === 1);
    await fake.stop();
    fake.override('downloadTier', undefined);
    await fake.start();
    expect(await scenario.ended(job, 30_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
  });
});
