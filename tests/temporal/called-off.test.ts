import { eq } from 'drizzle-orm';
import { cancelJob } from '../../client/cancel-job.js';
import type { JobRow } from '../../db/jobs.js';
import { asyncJob, cleanupDebt, host, JOB_STATUS } from '../../db/schema/index.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { hang, refusal } from '../support/host-answers.js';
import { CANCELLED, SUCCEEDED } from '../support/job-ends.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const STOPPED = { state: 'Stopped', hostId: null };

const { plane, scenario, join } = useControlPlane();
let fake: FakeHost;

beforeEach(async () => {
  fake = await join('host-1');
});

const debts = (vmId: string) => plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId));
const used = async () => {
  const [row] = await plane.db.select().from(host).where(eq(host.id, fake.hostId));
  return { cpu: row!.cpuUsedMhz, ram: row!.ramUsedBytes };
};
const running = async (): Promise<string> => (await scenario.deploy(await scenario.template())).vmId;
const stopped = async (): Promise<string> => {
  const vmId = await running();
  await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
  return vmId;
};
const isState = (vmId: string, state: string) =>
  waitFor(`the VM is ${state}`, async () => (await scenario.vmRow(vmId)).state === state);
const isAsked = (activity: Parameters<FakeHost['timesAsked']>[0], times = 1) =>
  waitFor(`${activity} is asked for`, async () => fake.timesAsked(activity) === times);
const cancel = (vmId: string) => plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();

describe('a VM whose operation is cancelled', () => {
  it('is Stopped: a start is undone', async () => {
    const vmId = await stopped();
    fake.override('startDomain', async ({ spec, token }) => {
      fake.domains.set(spec.vmId, token);
      await hang();
    });
    const job = await scenario.begin('startVirtualMachine', vmId);
    await isAsked('startDomain', 2);
    await cancel(vmId);
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect([await used(), fake.domains.size, fake.volumes.size]).toEqual([{ cpu: 0, ram: 0 }, 0, 1]);
  });

  it('runs on: a stop forces nothing', async () => {
    const vmId = await running();
    fake.override('stopDomain', hang);
    const job = await scenario.begin('stopVirtualMachine', vmId, { isForced: false });
    await isAsked('stopDomain', 1);
    await cancel(vmId);
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: fake.hostId });
    expect(fake.domains.has(vmId)).toBe(true);
    // The guest has been asked, and follows later.
    fake.domains.delete(vmId);
    await isState(vmId, 'Stopped');
  });

  it('is Stopped when its guest had powered off by then', async () => {
    const vmId = await running();
    fake.override('stopDomain', async () => {
      fake.domains.delete(vmId);
      await hang();
    });
    const job = await scenario.begin('stopVirtualMachine', vmId, { isForced: false });
    await isAsked('stopDomain', 1);
    await cancel(vmId);
    expect(await scenario.ended(job)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(await used()).toEqual({ cpu: 0, ram: 0 });
  });

  it('runs on: a reboot resets nothing', async () => {
    const vmId = await running();
    fake.override('rebootDomain', hang);
    const job = await scenario.begin('rebootVirtualMachine', vmId, { isForced: false });
    await isAsked('rebootDomain', 1);
    await cancel(vmId);
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);
    expect((await scenario.vmRow(vmId)).state).toBe('Running');
  });
});

describe('a VM whose workflow was terminated', () => {
  const terminateAndSweep = async (job: JobRow) => {
    await plane.client.workflow.getHandle(job.workflowId).terminate('an operator ended it');
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job)).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: expect.objectContaining({ slipwaycode: 'SLIPWAY_WORKFLOW_LOST' }) as object,
    });
  };

  it.each([
    ['startVirtualMachine', true, 'Running'],
    ['startVirtualMachine', false, 'Stopped'],
    ['stopVirtualMachine', true, 'Running'],
    ['stopVirtualMachine', false, 'Stopped'],
  ])('in %s is what its host says: alive %s, so %s', async (workflowType, isAlive, state) => {
    const vmId = workflowType === 'startVirtualMachine' ? await stopped() : await running();
    const whatHappens = async (token: number) => {
      if (isAlive) fake.domains.set(vmId, token);
      else fake.domains.delete(vmId);
      await hang();
    };
    fake.override('startDomain', ({ token }) => whatHappens(token));
    fake.override('stopDomain', () => whatHappens(fake.domains.get(vmId)!));
    const calls = fake.calls.length;
    const job = await scenario.begin(workflowType, vmId, { isForced: false });
    await waitFor('its host works', async () =>
      fake.calls.slice(calls).some(({ activity }) => activity === 'startDomain' || activity === 'stopDomain'),
    );
    await terminateAndSweep(job);
    const row = await scenario.vmRow(vmId);
    expect(row).toMatchObject({ state, hostId: isAlive ? fake.hostId : null });
    expect((await used()).ram > 0).toBe(isAlive);
    // Whatever it is now, operations work on it.
    for (const activity of ['startDomain', 'stopDomain'] as const) fake.override(activity, undefined);
    expect(
      await scenario.operate(isAlive ? 'stopVirtualMachine' : 'startVirtualMachine', vmId, { isForced: false }),
    ).toMatchObject(SUCCEEDED);
  });

  it('in a start, and whose host does not answer, is Stopped, and owed a stop', async () => {
    const vmId = await stopped();
    fake.override('startDomain', hang);
    fake.override('isDomainAlive', () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'silent')));
    const job = await scenario.begin('startVirtualMachine', vmId);
    await waitFor('its host works', async () => fake.timesAsked('startDomain') === 2);
    await terminateAndSweep(job);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(await debts(vmId)).toMatchObject([{ hostId: fake.hostId, keepsDisk: true }]);
  });

  it('in a reboot is Running', async () => {
    const vmId = await running();
    fake.override('rebootDomain', hang);
    const job = await scenario.begin('rebootVirtualMachine', vmId, { isForced: false });
    await waitFor('its host works', async () => fake.timesAsked('rebootDomain') === 1);
    await terminateAndSweep(job);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: fake.hostId });
  });
});

describe('a cancellation', () => {
  it('of a job by the API ends that job, and none that follows on the same VM', async () => {
    const vmId = await running();
    fake.override('stopDomain', hang);
    const job = await scenario.begin('stopVirtualMachine', vmId, { isForced: false });
    await isAsked('stopDomain');
    const begun = async ({ id }: JobRow) => (await plane.db.select().from(asyncJob).where(eq(asyncJob.id, id)))[0]!;
    await cancelJob(plane.client, await begun(job));
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);

    const next = await scenario.begin('stopVirtualMachine', vmId, { isForced: false });
    await isAsked('stopDomain', 2);
    await cancelJob(plane.client, await begun(job));
    const { events } = await plane.client.workflow.getHandle(vmWorkflowId(vmId)).fetchHistory();
    expect(events!.filter((told) => told.workflowExecutionCancelRequestedEventAttributes)).toEqual([]);
    await cancelJob(plane.client, await begun(next));
    expect(await scenario.ended(next)).toMatchObject(CANCELLED);
  });

  it('in the middle of an undo changes nothing: it is completed', async () => {
    const { opened, open } = gate();
    fake.override('startDomain', hang);
    fake.override('removeDeployment', async () => {
      await opened;
      fake.volumes.clear();
    });
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await isAsked('startDomain');
    await cancel(vmId);
    await isAsked('removeDeployment');
    await cancel(vmId);
    open();
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);
    expect([(await scenario.vmRow(vmId)).state, fake.volumes.size]).toEqual(['Error', 0]);
    expect(await plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId))).toEqual([]);
  });

  it.each([false, true])('of a destroy (expunge %s) changes nothing: it is completed', async (expunge) => {
    const vmId = await running();
    const activity = expunge ? 'removeDeployment' : 'stopDomain';
    const { opened, open } = gate();
    fake.override(activity, async () => {
      await opened;
      fake.domains.delete(vmId);
    });
    const job = await scenario.begin('destroyVirtualMachine', vmId, { expunge });
    await isAsked(activity);
    await cancel(vmId);
    open();
    expect(await scenario.ended(job)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: expunge ? 'Expunged' : 'Destroyed' });
  });
});
