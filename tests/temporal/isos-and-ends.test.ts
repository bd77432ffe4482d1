import { Context } from '@temporalio/activity';
import { eq } from 'drizzle-orm';
import { listUnusedCopies } from '../../activities/control/unused-copies.js';
import { cancelJob } from '../../client/cancel-job.js';
import { asyncJob, cleanupDebt, event, JOB_STATUS, stageWaiter, vmInstance } from '../../db/schema/index.js';
import type { JobRow } from '../../db/jobs.js';
import { writeSettings } from '../../db/settings.js';
import { recoverDestroyed } from '../../db/virtual-machines.js';
import type { DomainSpec } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { createExpunger } from '../../workers/control-worker/expunge-ended.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import { type ControlPlane, startControlPlane } from '../support/control-plane.js';
import { FakeHost, hang, refusal } from '../support/fake-host.js';
import { Scenario } from '../support/scenario.js';
import { waitFor } from '../support/wait-for.js';

const SUCCEEDED = { jobStatus: JOB_STATUS.succeeded };
const CANCELLED = { jobStatus: JOB_STATUS.cancelled };
const EMPTY = { isoId: null, isoSpoolRefId: null };
const DISK_BYTES = 5 * 1024 ** 3;

let plane: ControlPlane;
let scenario: Scenario;
let fake: FakeHost;

beforeAll(async () => {
  plane = await startControlPlane();
  scenario = new Scenario(plane);
  await writeSettings(plane.db, { 'host.reconnect.grace': '2' });
});
afterAll(() => plane.stop());

beforeEach(async () => {
  fake = await FakeHost.join(plane, 'host-1');
  await fake.isStatus('Up');
});
afterEach(() => fake.retire());

const running = async (): Promise<string> => (await scenario.deploy(await scenario.template())).vmId;
const addIso = () => scenario.template({ format: 'ISO' });
const attach = (vmId: string, isoId: string) => scenario.operate('attachIso', vmId, { isoId });
const detach = (vmId: string) => scenario.operate('detachIso', vmId);
const begin = async (workflowType: string, vmId: string, input: Record<string, unknown> = {}): Promise<JobRow> => {
  const job = await scenario.job(workflowType, vmId, input);
  await scenario.start(job);
  return job;
};
const cancel = (vmId: string) => plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
const isAsked = (activity: Parameters<FakeHost['timesAsked']>[0], times = 1) =>
  waitFor(`${activity} is asked for`, async () => fake.timesAsked(activity) >= times);
const unused = async () => (await listUnusedCopies(plane.db, fake.poolId)).map(({ templateId }) => templateId);
const lastSpec = (): DomainSpec => {
  const call = fake.calls.findLast(({ activity }) => activity === 'startDomain');
  return (call!.input as { spec: DomainSpec }).spec;
};
const failed = (text: string) => ({
  jobStatus: JOB_STATUS.failed,
  jobResult: expect.objectContaining({ errortext: expect.stringContaining(text) as string }) as object,
});
const broken = () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'the tray is stuck'));
const silent = () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'The host worker fell silent'));
/** As a real activity that hears of its cancellation. */
const untilCancelled = () => Context.current().cancelled;

describe('an ISO', () => {
  it('is brought to the pool once, is in the drive of a VM that runs, and is used until it is detached', async () => {
    const vmId = await running();
    const isoId = await addIso();
    expect(await attach(vmId, isoId)).toMatchObject(SUCCEEDED);
    const { isoSpoolRefId, isoId: attached } = await scenario.vmRow(vmId);
    expect([attached, isoSpoolRefId]).toEqual([isoId, expect.any(String)]);
    expect(fake.discs.get(vmId)).toMatch(new RegExp(`^${isoId}\\.g1\\.e`));
    expect(await unused()).toEqual([]);
    expect(await scenario.deleteTemplate(isoId)).toMatchObject(
      failed("Unable to delete iso, as it's used by other vms"),
    );

    expect(await detach(vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject(EMPTY);
    expect([fake.discs.get(vmId), await unused()]).toEqual([null, [isoId]]);
    expect(await detach(vmId)).toMatchObject(failed('The specified VM has no ISO attached to it.'));
    const told = await plane.db.select().from(event).where(eq(event.resourceId, vmId)).orderBy(event.created);
    expect(told.map(({ type }) => type)).toEqual(['VM.CREATE', 'ISO.ATTACH', 'ISO.DETACH', 'ISO.DETACH']);

    expect(await attach(vmId, isoId)).toMatchObject(SUCCEEDED);
    expect(fake.timesAsked('downloadTier')).toBe(2);
    expect(await attach(vmId, await addIso())).toMatchObject(failed('Another ISO is attached'));
  });

  it('is in the drive of a stopped VM when it starts, which boots from its disk', async () => {
    const vmId = await running();
    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    const isoId = await addIso();
    expect(await attach(vmId, isoId)).toMatchObject(SUCCEEDED);
    expect(fake.timesAsked('changeIso')).toBe(0);
    await scenario.operate('startVirtualMachine', vmId);
    expect(lastSpec()).toMatchObject({ iso: expect.stringContaining(isoId), bootsFromIso: false });
    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    expect(await detach(vmId)).toMatchObject(SUCCEEDED);
    await scenario.operate('startVirtualMachine', vmId);
    expect(lastSpec()).toMatchObject({ iso: null });
  });

  it('is not attached when it cannot be had, or cannot be inserted; then the drive is empty', async () => {
    const vmId = await running();
    const isoId = await addIso();
    fake.override('downloadTier', broken);
    expect(await attach(vmId, isoId)).toMatchObject(failed('the tray is stuck'));
    fake.override('downloadTier', undefined);
    fake.override('changeIso', async () => {
      fake.override('changeIso', undefined);
      fake.discs.set(vmId, 'inserted all the same');
      return broken();
    });
    expect(await attach(vmId, isoId)).toMatchObject(failed('the tray is stuck'));
    expect(await scenario.vmRow(vmId)).toMatchObject({ ...EMPTY, state: 'Running' });
    expect([fake.discs.get(vmId), await unused()]).toEqual([null, [isoId]]);
  });

  it('stays attached when its host does not answer: it may be in the drive', async () => {
    const vmId = await running();
    const isoId = await addIso();
    fake.override('changeIso', silent);
    expect(await attach(vmId, isoId)).toMatchObject(failed('fell silent'));
    expect(await scenario.vmRow(vmId)).toMatchObject({ isoId });
    expect(await detach(vmId)).toMatchObject(failed('fell silent'));
    expect(await scenario.vmRow(vmId)).toMatchObject({ isoId });
    expect(await unused()).toEqual([]);
    // Nor is it evicted under a domain that its host has yet to end.
    fake.override('removeDeployment', silent);
    await scenario.destroy(vmId, true);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Expunged', isoSpoolRefId: null });
    expect(await plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId))).toHaveLength(1);
    expect(await unused()).toEqual([]);
  });

  it('is in the drive again when it could not be ejected', async () => {
    const vmId = await running();
    const isoId = await addIso();
    await attach(vmId, isoId);
    const file = fake.discs.get(vmId);
    fake.override('changeIso', async () => {
      fake.override('changeIso', undefined);
      fake.discs.set(vmId, null);
      return broken();
    });
    expect(await detach(vmId)).toMatchObject(failed('the tray is stuck'));
    expect([(await scenario.vmRow(vmId)).isoId, fake.discs.get(vmId)]).toEqual([isoId, file]);
  });

  it('is attached to a VM that ends by itself meanwhile, which is noticed', async () => {
    const vmId = await running();
    const isoId = await addIso();
    fake.override('downloadTier', async () => {
      fake.override('downloadTier', undefined);
      fake.domains.delete(vmId);
      await waitFor('it is Stopped', async () => (await scenario.vmRow(vmId)).state === 'Stopped');
      // The stage tries again elsewhere in its own good time.
      return broken();
    });
    await attach(vmId, isoId);
    expect(await attach(vmId, isoId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Stopped', isoId });
  });

  describe.each(['downloadTier', 'changeIso'] as const)('whose attaching is called off during %s', (activity) => {
    const stuck = async (act: () => Promise<never>) => {
      const vmId = await running();
      const isoId = await addIso();
      fake.override(activity, async () => {
        fake.override(activity, undefined);
        if (activity === 'changeIso') fake.discs.set(vmId, 'inserted');
        return act();
      });
      const asked = fake.timesAsked(activity);
      const job = await begin('attachIso', vmId, { isoId });
      await isAsked(activity, asked + 1);
      return { vmId, job };
    };
    const isOut = async (vmId: string) => {
      expect(await scenario.vmRow(vmId)).toMatchObject({ ...EMPTY, state: 'Running' });
      expect(fake.discs.get(vmId)).toBeNull();
      const { workflowId } = stageWaiter;
      expect(
        await plane.db
          .select()
          .from(stageWaiter)
          .where(eq(workflowId, vmWorkflowId(vmId))),
      ).toEqual([]);
    };

    it('by a cancellation is not in the drive', async () => {
      const { vmId, job } = await stuck(untilCancelled);
      await cancel(vmId);
      expect(await scenario.ended(job)).toMatchObject(CANCELLED);
      await isOut(vmId);
    });

    it('by a termination is not in the drive', async () => {
      const { vmId, job } = await stuck(hang);
      await plane.client.workflow.getHandle(vmWorkflowId(vmId)).terminate('an operator ended it');
      await scenario.age(job);
      await sweepJobs(plane);
      expect(await scenario.ended(job)).toMatchObject(failed('it was undone'));
      await isOut(vmId);
    });
  });
});

describe('a VM that is installed from an ISO', () => {
  it('has a blank disk, and boots from its drive until the ISO is detached', async () => {
    const isoId = await addIso();
    const { vmId, job } = await scenario.deploy(isoId, { blankDiskBytes: DISK_BYTES });
    expect(job).toMatchObject(SUCCEEDED);
    const fromIso = { iso: expect.stringMatching(new RegExp(`^${isoId}`)) as string, bootsFromIso: true };
    expect(lastSpec()).toMatchObject(fromIso);
    const made = fake.calls.find(({ activity }) => activity === 'createRootVolume');
    expect(made!.input).toMatchObject({ disk: { type: 'blank', sizeBytes: DISK_BYTES } });
    expect(await unused()).toEqual([]);
    const again = async () => {
      await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
      expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    };
    await again();
    expect(lastSpec()).toMatchObject(fromIso);
    expect(await detach(vmId)).toMatchObject(SUCCEEDED);
    await again();
    expect(lastSpec()).toMatchObject({ iso: null, bootsFromIso: false });
    expect(await unused()).toEqual([isoId]);
    await scenario.destroy(vmId, true);
    expect(fake.volumes.size).toBe(0);
  });

  it('takes the ISO along to the next host, and lets go of it when there is none', async () => {
    const isoId = await addIso();
    const other = await FakeHost.join(plane, 'host-2');
    await other.isStatus('Up');
    for (const host of [fake, other]) host.override('startDomain', broken);
    const { vmId, job } = await scenario.deploy(isoId, { blankDiskBytes: DISK_BYTES });
    expect(job).toMatchObject(failed('the tray is stuck'));
    expect([fake.timesAsked('downloadTier'), other.timesAsked('downloadTier')]).toEqual([1, 1]);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Error', isoSpoolRefId: null });
    expect(await unused()).toEqual([isoId]);
    await other.retire();
  });
});

describe('a VM that has ended', () => {
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
    fake.override('startDomain', broken);
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

describe('a cancellation', () => {
  it('of a job by the API ends that job, and none that follows on the same VM', async () => {
    const vmId = await running();
    fake.override('stopDomain', untilCancelled);
    const job = await begin('stopVirtualMachine', vmId, { isForced: false });
    await isAsked('stopDomain');
    const begun = async ({ id }: JobRow) => (await plane.db.select().from(asyncJob).where(eq(asyncJob.id, id)))[0]!;
    await cancelJob(plane.client, await begun(job));
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);

    const next = await begin('stopVirtualMachine', vmId, { isForced: false });
    await isAsked('stopDomain', 2);
    await cancelJob(plane.client, await begun(job));
    const { events } = await plane.client.workflow.getHandle(vmWorkflowId(vmId)).fetchHistory();
    expect(events!.filter((told) => told.workflowExecutionCancelRequestedEventAttributes)).toEqual([]);
    await cancelJob(plane.client, await begun(next));
    expect(await scenario.ended(next)).toMatchObject(CANCELLED);
  });

  it('in the middle of an undo changes nothing: it is completed', async () => {
    let goOn: () => void = () => undefined;
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    fake.override('startDomain', untilCancelled);
    fake.override('removeDeployment', async () => {
      await mayGoOn;
      fake.volumes.clear();
    });
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await isAsked('startDomain');
    await cancel(vmId);
    await isAsked('removeDeployment');
    await cancel(vmId);
    goOn();
    expect(await scenario.ended(job)).toMatchObject(CANCELLED);
    expect([(await scenario.vmRow(vmId)).state, fake.volumes.size]).toEqual(['Error', 0]);
    expect(await plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId))).toEqual([]);
  });

  it.each([false, true])('of a destroy (expunge %s) changes nothing: it is completed', async (expunge) => {
    const vmId = await running();
    const activity = expunge ? 'removeDeployment' : 'stopDomain';
    let goOn: () => void = () => undefined;
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    fake.override(activity, async () => {
      await mayGoOn;
      fake.domains.delete(vmId);
    });
    const job = await begin('destroyVirtualMachine', vmId, { expunge });
    await isAsked(activity);
    await cancel(vmId);
    goOn();
    expect(await scenario.ended(job)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: expunge ? 'Expunged' : 'Destroyed' });
  });
});
