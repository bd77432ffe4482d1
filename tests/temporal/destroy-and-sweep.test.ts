import { eq } from 'drizzle-orm';
import { asyncJob, capacityClaim, cleanupDebt, host, JOB_STATUS, vmInstance, volumes } from '../../db/schema/index.js';
import { completeJob, recordJobRun } from '../../db/jobs.js';
import { recoverDestroyed } from '../../db/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { createExpunger } from '../../workers/control-worker/expunge-ended.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import type { FakeHost } from '../support/fake-host.js';
import { hang, refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('destroyVirtualMachine, and what is swept', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;

  beforeEach(async () => {
    fake = await join('host-1');
  });

  const claims = (vmId: string) => plane.db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId));
  const ramUsed = async () => (await plane.db.select().from(host).where(eq(host.id, fake.hostId)))[0]!.ramUsedBytes;

  it('without expunge ends the domain, keeps the disk, and gives CPU and memory back', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    expect(await scenario.destroy(vmId, false)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Destroyed', removed: null });
    expect([fake.domains.size, fake.volumes.size]).toEqual([0, 1]);
    expect(await claims(vmId)).toMatchObject([{ cpuMhz: 0, ramBytes: 0 }]);
    expect(await ramUsed()).toBe(0);

    await scenario.destroy(vmId, true);
    expect(fake.volumes.size).toBe(0);
    expect(await claims(vmId)).toEqual([]);
    expect(await plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId))).toEqual([]);
  });

  it('with expunge leaves nothing, and the template can go too', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    await scenario.destroy(vmId, true);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Expunged' });
    const [volume] = await plane.db.select().from(volumes).where(eq(volumes.instanceId, vmId));
    expect(volume).toMatchObject({ state: 'Expunged', templateSpoolRefId: null });
    expect(await claims(vmId)).toEqual([]);
  });

  it('expunges a VM whose host is gone: the host owes the cleanup', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    fake.override('removeDeployment', () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'silent')));
    expect(await scenario.destroy(vmId, true)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await claims(vmId)).toHaveLength(1);
    fake.override('removeDeployment', () => Promise.resolve());
    await fake.stop();
    await fake.start();
    await waitFor('the debt is paid', async () => (await claims(vmId)).length === 0);
  });

  it('keeps the disk of a VM that was destroyed, not expunged, while its host was away', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    fake.override('stopDomain', () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'silent')));
    expect(await scenario.destroy(vmId, false)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    // It may still run there.
    expect(await ramUsed()).toBeGreaterThan(0);
    fake.override('stopDomain', undefined);
    await fake.stop();
    await fake.start();
    await waitFor('the debt is paid', async () => (await ramUsed()) === 0);
    expect([fake.domains.size, fake.volumes.size]).toEqual([0, 1]);
    expect(await claims(vmId)).toHaveLength(1);

    await scenario.destroy(vmId, true);
    expect(fake.volumes.size).toBe(0);
  });

  it('takes a call that follows on the outcome of the last one, although that workflow is still closing', async () => {
    const templateId = await scenario.template();
    for (let round = 0; round < 10; round++) {
      const { vmId } = await scenario.deploy(templateId);
      expect(await scenario.destroy(vmId, true)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    }
  });

  it('starts a job whose workflow never came', async () => {
    const { vmId, job } = await scenario.vm(await scenario.template());
    await sweepJobs(plane);
    expect((await plane.db.select().from(asyncJob).where(eq(asyncJob.id, job.id)))[0]?.runId).toBeNull();
    await scenario.age(job);
    await Promise.all([sweepJobs(plane), sweepJobs(plane)]);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running' });
    expect(fake.timesAsked('startDomain')).toBe(1);
  });

  it('starts it although a hundred older jobs take their time', async () => {
    const running = Array.from({ length: 100 }, async () => {
      const old = await scenario.job('deployVirtualMachine', crypto.randomUUID(), {});
      const { firstExecutionRunId } = await plane.client.workflow.start('hostLifecycle', {
        workflowId: old.workflowId,
        taskQueue: 'control',
        args: [{ hostId: crypto.randomUUID() }],
      });
      await recordJobRun(plane.db, old.id, firstExecutionRunId);
      await scenario.age(old);
      return old;
    });
    const old = await Promise.all(running);
    const { vmId, job } = await scenario.vm(await scenario.template());
    await plane.db
      .update(asyncJob)
      .set({ created: new Date(Date.now() - 30_000).toISOString() })
      .where(eq(asyncJob.id, job.id));
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running' });
    for (const { id, workflowId } of old) {
      await plane.client.workflow.getHandle(workflowId).terminate();
      await completeJob(plane.db, id, { status: 'failed', resultCode: 530, result: {} });
    }
  });

  it('repairs a deployment that was terminated: nothing stays on the host and the job says why', async () => {
    fake.override('startDomain', hang);
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the domain is being started', async () => fake.timesAsked('startDomain') === 1);
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).terminate('an operator ended it');
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: expect.objectContaining({ slipwaycode: 'SLIPWAY_WORKFLOW_LOST' }) as object,
    });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Error' });
    expect(fake.volumes.size).toBe(0);
    expect(await claims(vmId)).toEqual([]);
  });

  it('runs a destroy again that was terminated', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    let isStuck = true;
    fake.override('removeDeployment', async () => {
      if (isStuck) await hang();
    });
    const job = await scenario.job('destroyVirtualMachine', vmId, { expunge: true });
    await scenario.start(job);
    await waitFor('the host removes it', async () => fake.timesAsked('removeDeployment') === 1);
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).terminate();
    isStuck = false;
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Expunged' });
  });

  it('does nothing when the workflow of a finished job is started once more', async () => {
    const { vmId, job } = await scenario.deploy(await scenario.template());
    await plane.client.workflow.getHandle(job.workflowId).result();
    const again = await plane.client.workflow.start(job.workflowType, {
      workflowId: job.workflowId,
      taskQueue: 'control',
      args: [job.workflowInput],
    });
    await again.result();
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running' });
    expect(fake.timesAsked('startDomain')).toBe(1);
  });

  describe('a VM that has ended', () => {
    const running = async (): Promise<string> => (await scenario.deploy(await scenario.template())).vmId;
    const isState = (vmId: string, state: string) =>
      waitFor(`it is ${state}`, async () => (await scenario.vmRow(vmId)).state === state);
    const endedLongAgo = (vmId: string) =>
      plane.db
        .update(vmInstance)
        .set({ ended: new Date(Date.now() - 2 * 86_400_000).toISOString() })
        .where(eq(vmInstance.id, vmId));

    it('is expunged when its delay is over, and not before; by one of several control workers', async () => {
      const [old, young, recovered] = [await running(), await running(), await running()];
      for (const vmId of [old, young, recovered]) await scenario.destroy(vmId, false);
      await endedLongAgo(old);
      await endedLongAgo(recovered);
      await recoverDestroyed(plane.db, recovered);
      await Promise.all([1, 2, 3].map(() => createExpunger(plane)()));
      await isState(old, 'Expunged');
      const jobs = await plane.db.select().from(asyncJob).where(eq(asyncJob.instanceId, old));
      const { accountId } = await scenario.vmRow(old);
      expect(jobs.filter(({ jobCmd }) => jobCmd === 'expungeVirtualMachine')).toMatchObject([{ accountId }]);
      expect((await scenario.vmRow(young)).state).toBe('Destroyed');
      expect((await scenario.vmRow(recovered)).state).toBe('Stopped');
      expect(fake.volumes.size).toBe(2);
    });

    it('in Error is expunged too, at the next interval', async () => {
      let nowMs = 0;
      const expunge = createExpunger(plane, () => nowMs);
      await expunge();
      fake.override('startDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no such machine type')));
      const { vmId } = await scenario.deploy(await scenario.template());
      await endedLongAgo(vmId);
      nowMs = 86_399_000;
      await expunge();
      expect((await scenario.vmRow(vmId)).state).toBe('Error');
      nowMs = 86_400_000;
      await expunge();
      await isState(vmId, 'Expunged');
    });
  });
});
