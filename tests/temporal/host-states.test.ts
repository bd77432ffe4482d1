import { and, eq, inArray } from 'drizzle-orm';
import { endDegraded, endMaintenance } from '../../db/hosts.js';
import { completeJob, createJob, type JobRow } from '../../db/jobs.js';
import {
  asyncJob,
  capacityClaim,
  cleanupDebt,
  event,
  host,
  JOB_STATUS,
  storagePool,
  user,
} from '../../db/schema/index.js';
import { createControlActivities } from '../../activities/control/index.js';
import { finishMaintenance } from '../../activities/control/host/host-maintenance.js';
import { createJoinToken } from '../../db/host-join-tokens.js';
import { joinWithToken } from '../../db/join-with-token.js';
import { revokeHost } from '../../db/revoke-host.js';
import { generateKeyPair } from '../../kvm/keystore/sealed-box.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import {
  hostRemovalWorkflowId,
  hostRevocationWorkflowId,
  hostStateWorkflowId,
  hostWorkflowId,
} from '../../shared/workflow-ids.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import type { FakeHost } from '../support/fake-host.js';
import { refusal } from '../support/host-answers.js';
import { gate } from '../support/gate.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const SUCCEEDED = { jobStatus: JOB_STATUS.succeeded };

describe('states of hosts', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;
  let other: FakeHost;
  let templateId: string;
  let admin: typeof user.$inferSelect;

  beforeAll(async () => {
    templateId = await scenario.template();
    [admin] = (await plane.db.select().from(user).limit(1)) as [typeof admin];
  });
  /** Two hosts of one pool: a VM of one can be started on the other. */
  beforeEach(async () => {
    fake = await join('host-1', { poolId: crypto.randomUUID() });
    other = await join('host-2', { poolId: fake.poolId });
  });

  const row = async ({ hostId }: FakeHost) => (await plane.db.select().from(host).where(eq(host.id, hostId)))[0]!;
  const change = (set: Partial<typeof host.$inferInsert>, { hostId }: FakeHost) =>
    plane.db.update(host).set(set).where(eq(host.id, hostId));
  const eventsOf = async (type: string): Promise<string[]> => {
    const isIt = and(eq(event.type, type), eq(event.resourceId, fake.hostId));
    return (await plane.db.select().from(event).where(isIt).orderBy(event.created)).map((found) => found.description);
  };

  const debts = () =>
    plane.db
      .select()
      .from(cleanupDebt)
      .where(inArray(cleanupDebt.hostId, [fake.hostId, other.hostId]));

  async function work(jobCmd: string, input: Record<string, unknown> = {}): Promise<JobRow> {
    const job = await hostJob(jobCmd, input);
    await scenario.start(job);
    return scenario.ended(job);
  }

  function hostJob(jobCmd: string, input: Record<string, unknown> = {}): Promise<JobRow> {
    const { hostId } = fake;
    const id = crypto.randomUUID();
    return createJob(plane.db, {
      id,
      accountId: admin.accountId,
      userId: admin.id,
      jobCmd,
      workflowType: jobCmd,
      workflowId: hostStateWorkflowId(hostId),
      workflowInput: { ...input, hostId, jobId: id },
      instanceType: 'Host',
      instanceId: hostId,
    });
  }

  /** A VM that runs on `fake`. */
  async function running(): Promise<string> {
    await change({ resourceState: 'Disabled' }, other);
    const { vmId, job } = await scenario.deploy(templateId);
    expect(job).toMatchObject(SUCCEEDED);
    await change({ resourceState: 'Enabled' }, other);
    return vmId;
  }

  it('lets VMs run on in maintenance, names them, and is there when the last has left', async () => {
    const vmId = await running();
    const { name } = await scenario.vmRow(vmId);
    expect(await work('prepareHostForMaintenance', { stopsVirtualMachines: false })).toMatchObject({
      ...SUCCEEDED,
      jobResult: { virtualmachines: [{ id: vmId, name, state: 'Running' }] },
    });
    await plane.db.transaction((tx) => finishMaintenance(tx));
    expect(await row(fake)).toMatchObject({ status: 'Up', resourceState: 'PrepareForMaintenance' });

    const elsewhere = await scenario.deploy(templateId);
    expect((await scenario.vmRow(elsewhere.vmId)).hostId).toBe(other.hostId);

    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    await plane.db.transaction((tx) => finishMaintenance(tx));
    expect(await row(fake)).toMatchObject({ status: 'Up', resourceState: 'Maintenance' });
    expect(await eventsOf('MAINT.PREPARE')).toEqual([
      'Host host-1 takes no new virtual machines',
      'Host host-1 is in maintenance: nothing runs there any more',
    ]);
    // It starts where there is no maintenance.
    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    expect((await scenario.vmRow(vmId)).hostId).toBe(other.hostId);
    expect(await work('prepareHostForMaintenance', { stopsVirtualMachines: false })).toMatchObject(SUCCEEDED);
  });

  it('stops the VMs when that is asked for, each by a job of its own, the second time by force', async () => {
    const vmIds = [await running(), await running()];
    const real = { refused: 0 };
    fake.override('stopDomain', ({ vmId, isForced }) => {
      if (vmId === vmIds[0] && !isForced) {
        real.refused++;
        return Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'the guest does not listen'));
      }
      return Promise.resolve(void fake.domains.delete(vmId));
    });
    expect(await work('prepareHostForMaintenance', { stopsVirtualMachines: true })).toMatchObject({
      ...SUCCEEDED,
      jobResult: { virtualmachines: [] },
    });
    expect(await row(fake)).toMatchObject({ resourceState: 'Maintenance' });
    for (const vmId of vmIds) expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Stopped', hostId: null });
    const stops = await plane.db.select().from(asyncJob).where(eq(asyncJob.jobCmd, 'stopVirtualMachine'));
    expect(stops.filter(({ instanceId }) => instanceId === vmIds[0])).toHaveLength(2);
    expect(stops.filter(({ instanceId }) => instanceId === vmIds[1])).toHaveLength(1);
    expect([fake.domains.size, real.refused]).toEqual([0, 1]);
  });

  it('says which VMs it could not stop', async () => {
    const vmId = await running();
    const { name } = await scenario.vmRow(vmId);
    fake.override('stopDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is busy')));
    fake.override('isDomainAlive', () => Promise.resolve(true));
    const job = await work('prepareHostForMaintenance', { stopsVirtualMachines: true });
    expect(job).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: { errortext: expect.stringContaining(`could not be stopped: ${name}`) as string },
    });
    expect(await row(fake)).toMatchObject({ resourceState: 'ErrorInMaintenance' });
  });

  it('starts VMs of a host that an operator calls fenced elsewhere, and ends them there when it is back', async () => {
    const vmId = await running();
    await fake.stop();
    await fake.isStatus('Down');
    await plane.db
      .update(host)
      .set({ lastPinged: new Date(0).toISOString() })
      .where(eq(host.id, fake.hostId));
    expect(await work('declareHostAsDegraded')).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Stopped', hostId: null });
    // Not before the operator has vouched for it: the debt alone keeps every other host from it.
    await change({ resourceState: 'Enabled' }, fake);
    const [debt] = await debts();
    await plane.db.update(cleanupDebt).set({ created: new Date(0).toISOString() });
    expect(debt).toMatchObject({ vmId, hostId: fake.hostId, keepsDisk: true });
    expect((await scenario.operate('startVirtualMachine', vmId)).jobResult).toMatchObject({
      errortext: expect.stringContaining('host-1: may still run it') as string,
    });
    await change({ resourceState: 'Degraded' }, fake);

    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: other.hostId });
    expect([fake.domains.has(vmId), other.domains.has(vmId)]).toEqual([true, true]);

    // It was not fenced after all. What it runs ends by force before it is Up, and the other one's is left alone.
    await fake.start();
    await fake.isStatus('Up');
    expect([fake.domains.has(vmId), other.domains.has(vmId)]).toEqual([false, true]);
    expect(fake.calls.findLast(({ activity }) => activity === 'stopDomain')?.input).toMatchObject({ isForced: true });
    expect(await debts()).toEqual([]);
    expect(await row(fake)).toMatchObject({ resourceState: 'Degraded', cpuUsedMhz: 0, ramUsedBytes: 0 });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: other.hostId });
    expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
    const [pool] = await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId));
    expect(pool!.allocatedBytes).toBe(0);
  });

  it('is not Up before it has ended what an operator took for stopped while it was coming back', async () => {
    const vmId = await running();
    await fake.stop();
    await fake.isStatus('Down');
    const { opened, open: goOn } = gate();
    fake.override('sweepPartials', async () => {
      await opened;
      return [];
    });
    await fake.start();
    await waitFor('it has said hello', async () => fake.timesAsked('sweepPartials') === 2);
    expect(await work('declareHostAsDegraded')).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Stopped' });
    expect(fake.domains.has(vmId)).toBe(true);
    goOn();
    await fake.isStatus('Up');
    expect(fake.domains.has(vmId)).toBe(false);
    expect(await debts()).toEqual([]);
    expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
  });

  it('gets no work and no word once it was revoked, whatever it says, and its VMs wait for an operator', async () => {
    const vmId = await running();
    const { hostId } = fake;
    const caller = { userId: admin.id, accountId: admin.accountId };
    const revoked = await revokeHost(plane.db, caller, hostId, true);
    expect(revoked?.virtualMachines).toMatchObject([{ id: vmId, state: 'Running' }]);
    await plane.client.workflow.execute('revokeHost', {
      workflowId: hostRevocationWorkflowId(hostId),
      taskQueue: CONTROL_TASK_QUEUE,
      args: [{ hostId }],
    });
    const life = plane.client.workflow.getHandle(hostWorkflowId(hostId));
    await waitFor('its life has ended', async () => (await life.describe()).status.name === 'COMPLETED');

    // It comes back, as whoever has it wants to: nothing of what it says counts.
    await fake.stop();
    const asked = fake.calls.length;
    fake.domains.clear();
    await fake.start();
    await waitFor('it was asked, and refused', async () => (await life.describe()).status.name === 'COMPLETED');
    expect(fake.calls.slice(asked).map(({ activity }) => activity)).toEqual(['hello']);
    expect(await row(fake)).toMatchObject({ status: 'Revoked', publicKey: null });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId });
    expect((await scenario.operate('stopVirtualMachine', vmId, { isForced: true })).jobResult).toMatchObject({
      errortext: expect.stringContaining('was revoked: nothing is asked of it') as string,
    });
    const { sealTemplateUrl } = createControlActivities(plane);
    await expect(sealTemplateUrl({ templateId, hostId })).rejects.toMatchObject({ code: 'SLIPWAY_HOST_REVOKED' });

    // Somebody has made sure that it is off.
    expect(await work('declareHostAsDegraded')).toMatchObject(SUCCEEDED);
    await change({ resourceState: 'Enabled' }, other);
    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: other.hostId });
    expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
    expect(fake.calls.slice(asked).map(({ activity }) => activity)).toEqual(['hello']);

    // It was found again, and an admin lets it have another key: it pays what nobody has asked of it.
    const { token } = await createJoinToken(plane.db, caller, { hostId }, 60);
    const publicKey = (await generateKeyPair()).publicKey;
    await joinWithToken(plane.db, { token, name: 'host-1', publicKey, pools: [fake.pool] });
    await fake.stop();
    await fake.start();
    await fake.isStatus('Up');
    expect(await row(fake)).toMatchObject({ publicKey, cpuUsedMhz: 0, ramUsedBytes: 0 });
    expect(await debts()).toEqual([]);
  });

  it('keeps a start that it was claimed for waiting once it was revoked, until an operator says that it is off', async () => {
    const vmId = await running();
    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    await change({ resourceState: 'Disabled' }, other);
    const job = await scenario.job('startVirtualMachine', vmId, {});
    const { claimStart } = createControlActivities(plane);
    const claim = () => claimStart({ vmId, jobId: job.id, excludedHostIds: [] });
    expect(await claim()).toMatchObject({ outcome: 'claimed', order: { hostId: fake.hostId } });
    await revokeHost(plane.db, { userId: admin.id, accountId: admin.accountId }, fake.hostId, true);
    await change({ resourceState: 'Enabled' }, other);
    // Whoever has it may have started the VM, on a disk that both reach.
    const refused = [{ hostName: 'host-1', reason: 'may still run it: a stop is owed there' }];
    expect(await claim()).toMatchObject({ outcome: 'no host', refused });
    await change({ resourceState: 'Degraded' }, fake);
    await scenario.start(job);
    expect(await scenario.ended(job)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: other.hostId });
  });

  it('is not taken for fenced while it is Up', async () => {
    const vmId = await running();
    expect(await work('declareHostAsDegraded')).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: { errortext: 'Host host-1 is Up: only one that does not answer can be declared as Degraded' },
    });
    expect((await scenario.vmRow(vmId)).state).toBe('Running');
    expect((await row(fake)).resourceState).toBe('Enabled');
  });

  it('stays in the installation while a start on it is under way, and leaves what it owes to others', async () => {
    const { hostId } = fake;
    const removal = { hostId, isForced: true, accountId: admin.accountId, userId: admin.id };
    const { oweCleanup, removeHost } = createControlActivities(plane);
    const vmId = await running();
    const { fenceToken } = await scenario.vmRow(vmId);
    const claim = and(eq(capacityClaim.vmId, vmId), eq(capacityClaim.token, fenceToken));
    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    // As between the claim of a start and the answer of a host that has died since.
    await change({ status: 'Down', resourceState: 'Degraded' }, fake);
    await plane.db.update(capacityClaim).set({ cpuMhz: 500 }).where(claim);
    await change({ cpuUsedMhz: 500 }, fake);
    await expect(removeHost(removal)).rejects.toThrow('may still run virtual machines');

    await plane.db.update(capacityClaim).set({ cpuMhz: 0 }).where(claim);
    await change({ cpuUsedMhz: 0 }, fake);
    await removeHost(removal);
    const { poolId } = fake;
    const debt = { vmId, hostId, hostName: fake.name, poolId, volumeId: '', token: fenceToken, keepsDisk: false };
    await oweCleanup({ debt, reason: 'the host that was asked is gone' });
    expect(await debts()).toMatchObject([{ vmId, hostId: other.hostId }]);
    await other.stop();
    await other.start();
    await waitFor('the other host has paid', async () => (await debts()).length === 0);
    const [pool] = await plane.db.select().from(storagePool).where(eq(storagePool.id, poolId));
    expect(pool!.allocatedBytes).toBe(0);
    expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
  });

  it('is not declared as Degraded again by a job that waits when an operator has taken it back', async () => {
    const vmId = await running();
    // What is still to be reported of the start would have it Up again.
    const isOfVm = (call: (typeof fake.calls)[number]) =>
      call.activity === 'watchHost' && JSON.stringify(call.input).includes(vmId);
    await waitFor('the host is watched with its VM', () => Promise.resolve(fake.calls.some(isOfVm)));
    await change({ status: 'Down' }, fake);
    const busy = await scenario.job('attachIso', vmId, {});
    const { takeForStopped } = createControlActivities(plane);
    const job = await hostJob('declareHostAsDegraded');
    const look = (isFirstLook: boolean) => takeForStopped({ hostId: fake.hostId, jobId: job.id, isFirstLook });
    expect(await look(true)).toEqual({ busy: 1 });
    await change({ resourceState: 'Enabled' }, fake);
    await expect(look(false)).rejects.toThrow('the declaration was taken back');
    expect((await row(fake)).resourceState).toBe('Enabled');
    const done = { status: 'succeeded', resultCode: 0, result: {} } as const;
    for (const { id } of [busy, job]) await completeJob(plane.db, id, done);
    // The lifecycle, which knows nothing of this, would have it Up again only at its next change.
    await change({ status: 'Up' }, fake);
  });

  describe('that an operator has taken back stays so when the workflow was terminated, and the job is swept:', () => {
    let vmId: string;
    /** Of the VM: the job of the host waits for it. */
    let busy: JobRow;
    beforeEach(async () => {
      vmId = await running();
      const isOfVm = (call: (typeof fake.calls)[number]) =>
        call.activity === 'watchHost' && JSON.stringify(call.input).includes(vmId);
      await waitFor('the host is watched with its VM', () => Promise.resolve(fake.calls.some(isOfVm)));
      busy = await scenario.job('attachIso', vmId, {});
    });

    async function takenBack(job: JobRow, state: string, takeBack: typeof endMaintenance): Promise<void> {
      await scenario.start(job);
      await waitFor(`it is ${state}`, async () => (await row(fake)).resourceState === state);
      await plane.client.workflow.getHandle(job.workflowId).terminate('an operator has ended it');
      const caller = { userId: admin.id, accountId: admin.accountId, domainId: admin.domainId };
      await plane.db.transaction((tx) => takeBack(tx, { ...caller, domainPath: '/', role: 'Admin' }, fake.hostId));
      await completeJob(plane.db, busy.id, { status: 'succeeded', resultCode: 0, result: {} });
      await scenario.age(job);
      await sweepJobs(plane);
      expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.failed });
      expect((await row(fake)).resourceState).toBe('Enabled');
      expect((await scenario.vmRow(vmId)).state).toBe('Running');
    }

    it('a maintenance', async () => {
      const job = await hostJob('prepareHostForMaintenance', { stopsVirtualMachines: true });
      await takenBack(job, 'PrepareForMaintenance', endMaintenance);
    });

    it('a declaration as Degraded', async () => {
      await change({ status: 'Down' }, fake);
      await takenBack(await hostJob('declareHostAsDegraded'), 'Degraded', endDegraded);
      // The lifecycle, which knows nothing of this, would have it Up again only at its next change.
      await change({ status: 'Up' }, fake);
    });
  });

  it('leaves the installation with its life, when nothing needs it any more', async () => {
    const remove = (isForced: boolean) =>
      plane.client.workflow.execute('removeHost', {
        taskQueue: 'control',
        workflowId: hostRemovalWorkflowId(fake.hostId),
        args: [{ hostId: fake.hostId, isForced }],
      });
    const refused = (text: string) => ({ cause: { message: expect.stringContaining(text) as string } });
    const vmId = await running();
    await expect(remove(true)).rejects.toMatchObject(refused('is Up: prepare it for maintenance first'));
    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    await expect(remove(false)).rejects.toMatchObject(refused('is not in Maintenance'));
    await work('prepareHostForMaintenance', { stopsVirtualMachines: false });

    await remove(false);
    expect(await row(fake)).toMatchObject({ status: 'Removed', removed: expect.any(String) as string });
    const life = plane.client.workflow.getHandle(hostWorkflowId(fake.hostId));
    await life.result();
    expect(fake.timesAsked('dismissHost')).toBe(1);

    // Its worker is started again by somebody who does not know.
    await fake.stop();
    await fake.start();
    await waitFor('it is told again', async () => fake.timesAsked('dismissHost') === 2);
    await life.result();
    expect((await row(fake)).status).toBe('Removed');

    // The disk is on the shared pool: the other host has it to remove now.
    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
    expect(await debts()).toEqual([]);
    const [pool] = await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId));
    expect(pool).toMatchObject({ allocatedBytes: 0, removed: null });
  });
});
