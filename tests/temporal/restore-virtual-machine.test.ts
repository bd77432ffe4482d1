import { and, eq, isNull, ne } from 'drizzle-orm';
import {
  capacityClaim,
  cleanupDebt,
  event,
  host,
  JOB_STATUS,
  stageWaiter,
  storagePool,
  templateSpoolRef,
  volumes,
} from '../../db/schema/index.js';
import type { JobRow } from '../../db/jobs.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { removeDeadVolumes } from '../../workers/control-worker/remove-dead-volumes.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import type { FakeHost } from '../support/fake-host.js';
import { hang, refusal } from '../support/host-answers.js';
import { resetWorkflow } from '../support/reset-workflow.js';
import { CANCELLED, failed, SUCCEEDED } from '../support/job-ends.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const GIB = 1024 ** 3;

// So that nobody waits for long for a host that is away.
const { plane, scenario, join } = useControlPlane({ settings: { 'host.reconnect.grace': '2' } });
let fake: FakeHost;

beforeEach(async () => {
  fake = await join('host-1');
});

const running = async (): Promise<string> => {
  const { vmId, job } = await scenario.deploy(await scenario.template());
  expect(job).toMatchObject(SUCCEEDED);
  return vmId;
};
const stopped = async (): Promise<string> => {
  const vmId = await running();
  expect(await scenario.operate('stopVirtualMachine', vmId, { isForced: true })).toMatchObject(SUCCEEDED);
  return vmId;
};
const restore = (vmId: string, input: object) => scenario.operate('restoreVirtualMachine', vmId, { ...input });
const begin = (vmId: string, input: object) => scenario.begin('restoreVirtualMachine', vmId, { ...input });

const rootDisk = async (vmId: string) => {
  const [row] = await plane.db
    .select()
    .from(volumes)
    .where(and(eq(volumes.instanceId, vmId), isNull(volumes.removed)));
  return row!;
};
const pool = async () => (await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId)))[0]!;

/** What a VM holds anywhere, once everything that is nobody's is removed. */
async function holdings(vmId: string) {
  await waitFor('nothing is left to be removed', async () => {
    await removeDeadVolumes(plane);
    const dead = await plane.db
      .select()
      .from(volumes)
      .where(and(eq(volumes.instanceId, vmId), ne(volumes.state, 'Expunged')));
    return dead.length === 1;
  });
  const { state, hostId, templateId, isoId } = await scenario.vmRow(vmId);
  const disk = await rootDisk(vmId);
  const claims = await plane.db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId));
  const [self] = await plane.db.select().from(host).where(eq(host.id, fake.hostId));
  return {
    vm: { state, hostId, templateId, isoId },
    disk: { id: disk.id, path: disk.path, copy: disk.templateSpoolRefId, reserved: disk.reservedBytes },
    files: [...fake.volumes],
    domains: fake.domains.size,
    diskBytes: claims.reduce((sum, claim) => sum + claim.diskBytes, 0),
    allocated: (await pool()).allocatedBytes,
    ram: self!.ramUsedBytes,
    debts: await plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId)),
    waiters: await plane.db
      .select()
      .from(stageWaiter)
      .where(eq(stageWaiter.workflowId, vmWorkflowId(vmId))),
  };
}

describe('a VM that is restored', () => {
  it('from its own template runs on a new disk; nothing is downloaded, and of the old disk nothing is left', async () => {
    const vmId = await running();
    const before = await holdings(vmId);
    const { fenceToken } = await scenario.vmRow(vmId);
    const downloads = fake.timesAsked('downloadTier');
    expect(await restore(vmId, { isToRun: true })).toMatchObject(SUCCEEDED);

    expect(fake.volumes.size).toBe(2);
    const after = await holdings(vmId);
    const row = await scenario.vmRow(vmId);
    expect(row.fenceToken).toBeGreaterThan(fenceToken);
    expect(fake.domains.get(vmId)).toBe(row.fenceToken);
    expect(after.disk.id).not.toBe(before.disk.id);
    expect(after).toEqual({ ...before, disk: { ...after.disk, copy: before.disk.copy }, files: [after.disk.path] });
    expect(fake.calls.findLast(({ activity }) => activity === 'startDomain')!.input).toMatchObject({
      spec: { rootVolume: after.disk.path },
    });
    expect(fake.timesAsked('downloadTier')).toBe(downloads);
    const told = await plane.db.select().from(event).where(eq(event.resourceId, vmId)).orderBy(event.created);
    expect(told.map(({ type }) => type)).toEqual(['VM.CREATE', 'VM.RESTORE']);

    await scenario.destroy(vmId, true);
    expect([fake.volumes.size, (await pool()).allocatedBytes]).toEqual([0, 0]);
  });

  it('from another template stays Stopped; the old copy is used until the old disk is gone', async () => {
    const vmId = await stopped();
    const old = await rootDisk(vmId);
    const other = await scenario.template();
    expect(await restore(vmId, { templateId: other, sizeBytes: 5 * GIB, isToRun: false })).toMatchObject(SUCCEEDED);

    const copies = async () => (await plane.db.select().from(volumes).where(eq(volumes.id, old.id)))[0]!;
    expect(await copies()).toMatchObject({ templateSpoolRefId: old.templateSpoolRefId, path: old.path });
    const after = await holdings(vmId);
    expect(await copies()).toMatchObject({ templateSpoolRefId: null, path: null, state: 'Expunged' });
    expect(after).toMatchObject({
      vm: { state: 'Stopped', templateId: other },
      files: [after.disk.path],
      diskBytes: 5 * GIB,
      allocated: 5 * GIB,
      ram: 0,
    });
    const [copy] = await plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, after.disk.copy!));
    expect(copy!.templateId).toBe(other);
    expect(fake.timesAsked('downloadTier')).toBe(2);

    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    // As large as it was asked for.
    expect(await restore(vmId, { isToRun: true })).toMatchObject(SUCCEEDED);
    expect(await holdings(vmId)).toMatchObject({ vm: { state: 'Running' }, allocated: 5 * GIB });
    expect(fake.timesAsked('downloadTier')).toBe(2);
  });

  it.each(['is there', 'is away'])(
    'leaves nothing when it is expunged before it has started, and its host %s',
    async (where) => {
      const vmId = await stopped();
      expect(await restore(vmId, { isToRun: false })).toMatchObject(SUCCEEDED);
      await holdings(vmId);
      if (where === 'is away') fake.override('removeDeployment', () => Promise.reject(refusal('SLIPWAY_POOL_IO', 'x')));
      expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
      fake.override('removeDeployment', undefined);
      // Whatever it says next, it is told what it owes.
      fake.capacityBytes *= 2;
      await waitFor('the disk is gone', async () => fake.volumes.size === 0);
      await waitFor('its space is free', async () => (await pool()).allocatedBytes === 0);
    },
  );

  it('from an ISO has a blank disk of the old size, and boots from its drive', async () => {
    const vmId = await running();
    const iso = await scenario.template({ format: 'ISO' });
    expect(await restore(vmId, { templateId: iso, isToRun: true })).toMatchObject(SUCCEEDED);
    const after = await holdings(vmId);
    expect(after).toMatchObject({ vm: { state: 'Running', templateId: iso, isoId: iso }, disk: { copy: null } });
    const { isoSpoolRefId } = await scenario.vmRow(vmId);
    const [copy] = await plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.id, isoSpoolRefId!));
    const asked = (activity: string) => fake.calls.findLast((call) => call.activity === activity)!.input;
    expect(asked('createRootVolume')).toMatchObject({ disk: { type: 'blank', sizeBytes: 2000 } });
    expect(asked('startDomain')).toMatchObject({ spec: { iso: copy!.installPath, bootsFromIso: true } });
    await scenario.destroy(vmId, true);
    expect(await scenario.vmRow(vmId)).toMatchObject({ isoSpoolRefId: null });
  });

  const silent = () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'The host worker fell silent'));
  const broken = (what: string) => () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', what));

  it.each([
    ['staging', true, (host_: FakeHost) => host_.override('downloadTier', broken('no such file')), 'no such file'],
    ['stopping', true, (host_: FakeHost) => host_.override('stopDomain', broken('libvirt is busy')), 'libvirt is busy'],
    ['stopping on a silent host', true, (host_: FakeHost) => host_.override('stopDomain', silent), 'fell silent'],
    ['creating', true, (host_: FakeHost) => host_.override('createRootVolume', broken('disk error')), 'disk error'],
    [
      'creating, Stopped',
      false,
      (host_: FakeHost) => host_.override('createRootVolume', broken('disk error')),
      'disk error',
    ],
    ['starting', true, failsToStartOnce, 'no such machine type'],
  ])('has its old disk when %s fails, and runs if it ran (%s)', async (_step, isToRun, breakIt, text) => {
    const vmId = isToRun ? await running() : await stopped();
    const before = await holdings(vmId);
    breakIt(fake);
    const job = await restore(vmId, { templateId: await scenario.template(), isToRun });
    expect(job).toMatchObject(failed(text));
    expect(await holdings(vmId)).toEqual(before);
    expect((await scenario.vmRow(vmId)).state).toBe(isToRun ? 'Running' : 'Stopped');
  });

  function failsToStartOnce(host_: FakeHost): void {
    host_.override('startDomain', () => {
      host_.override('startDomain', undefined);
      return broken('no such machine type')();
    });
  }

  it('is Stopped with its old disk when it cannot be started again, and says why', async () => {
    const vmId = await running();
    const before = await holdings(vmId);
    fake.override('createRootVolume', broken('disk error'));
    fake.override('startDomain', broken('no such machine type'));
    const job = await restore(vmId, { isToRun: true });
    expect(job).toMatchObject(failed('disk error'));
    expect(job).toMatchObject(failed('is Stopped, because it could not be started again'));
    expect(await holdings(vmId)).toMatchObject({
      vm: { ...before.vm, state: 'Stopped', hostId: null },
      disk: before.disk,
      ram: 0,
      allocated: before.allocated,
    });
  });

  it('needs space for both disks, which is given back when there is not enough', async () => {
    const vmId = await running();
    const before = await holdings(vmId);
    const job = await restore(vmId, { sizeBytes: 500 * GIB, isToRun: true });
    expect(job).toMatchObject(failed('has no space for a second root disk'));
    expect(await holdings(vmId)).toEqual(before);
    expect(fake.timesAsked('stopDomain')).toBe(0);
  });

  it('waits for the space of a template that nothing uses', async () => {
    const { vmId: other } = await scenario.deploy(await scenario.template());
    await scenario.destroy(other, true);
    const [unused] = await plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, fake.poolId));
    const reservedBytes = 60 * GIB;
    await plane.db.update(templateSpoolRef).set({ reservedBytes }).where(eq(templateSpoolRef.id, unused!.id));
    await plane.db.update(storagePool).set({ templateBytes: reservedBytes }).where(eq(storagePool.id, fake.poolId));
    const vmId = await running();
    expect(await restore(vmId, { sizeBytes: 90 * GIB, isToRun: true })).toMatchObject(SUCCEEDED);
    expect(await holdings(vmId)).toMatchObject({ allocated: 90 * GIB, vm: { state: 'Running' } });
    expect(fake.timesAsked('removeTemplateCopy')).toBe(1);
  });

  it('keeps the space of a disk that a silent host may still make, and that host removes it when it is back', async () => {
    const vmId = await stopped();
    const before = await holdings(vmId);
    fake.override('createRootVolume', async ({ volumeId, token }) => {
      fake.volumes.add(`${volumeId}.${token}`);
      return silent();
    });
    expect(await restore(vmId, { isToRun: false })).toMatchObject(failed('fell silent'));
    await plane.db.update(host).set({ status: 'Down' }).where(eq(host.id, fake.hostId));
    await removeDeadVolumes(plane);
    expect((await pool()).allocatedBytes).toBe(2 * before.allocated);
    expect(fake.timesAsked('removeVolumeFiles')).toBe(0);
    await plane.db.update(host).set({ status: 'Up' }).where(eq(host.id, fake.hostId));
    expect(await holdings(vmId)).toEqual(before);
  });

  it('is busy meanwhile', async () => {
    const vmId = await running();
    fake.override('createRootVolume', hang);
    const job = await begin(vmId, { isToRun: true });
    for (const operation of ['restoreVirtualMachine', 'attachIso', 'destroyVirtualMachine']) {
      await expect(scenario.job(operation, vmId, {})).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_BUSY' });
    }
    await waitFor('the disk is made', async () => fake.timesAsked('createRootVolume') === 2);
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
    await scenario.ended(job);
  });
});

type Stop = 'downloadTier' | 'stopDomain' | 'createRootVolume' | 'startDomain';

/** Begins a restore that stands in that activity. */
async function stuckIn(activity: Stop): Promise<{ vmId: string; job: JobRow; before: object }> {
  const vmId = await running();
  const before = await holdings(vmId);
  const asked = fake.timesAsked(activity);
  if (activity === 'startDomain') {
    fake.override('startDomain', async ({ spec, token }) => {
      fake.override('startDomain', undefined);
      fake.domains.set(spec.vmId, token);
      await hang();
    });
  } else {
    fake.override(activity, async () => {
      fake.override(activity, undefined);
      return hang();
    });
  }
  const job = await begin(vmId, { templateId: await scenario.template(), isToRun: true });
  await waitFor(`${activity} is asked for`, async () => fake.timesAsked(activity) > asked);
  return { vmId, job, before };
}

describe.each(['downloadTier', 'stopDomain', 'createRootVolume', 'startDomain'] as const)(
  'a VM whose restore is called off during %s',
  (activity) => {
    it('by a cancellation: it has its old disk, and runs', async () => {
      const { vmId, job, before } = await stuckIn(activity);
      await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
      expect(await scenario.ended(job)).toMatchObject(CANCELLED);
      expect(await holdings(vmId)).toEqual(before);
    });

    it('by a termination: it has its old disk, and runs', async () => {
      const { vmId, job, before } = await stuckIn(activity);
      await plane.client.workflow.getHandle(vmWorkflowId(vmId)).terminate('an operator ended it');
      await scenario.age(job);
      await sweepJobs(plane);
      expect(await scenario.ended(job)).toMatchObject({
        jobStatus: JOB_STATUS.failed,
        jobResult: expect.objectContaining({ slipwaycode: 'SLIPWAY_WORKFLOW_LOST' }) as object,
      });
      expect(await holdings(vmId)).toEqual(before);
    });
  },
);

// The stage of a download is a workflow of its own, and goes on.
it.each(['stopDomain', 'createRootVolume', 'startDomain'] as const)(
  'a VM whose restore is reset during %s has one disk in the end, and runs',
  async (activity) => {
    const { vmId, job } = await stuckIn(activity);
    await resetWorkflow(plane.client, { workflowId: vmWorkflowId(vmId) });
    const { templateId } = job.workflowInput;
    const isRestored = (await scenario.ended(job)).jobStatus === JOB_STATUS.succeeded;
    const after = await holdings(vmId);
    expect(after.vm.templateId === templateId).toBe(isRestored);
    expect(after).toMatchObject({
      vm: { state: 'Running', hostId: fake.hostId },
      files: [after.disk.path],
      domains: 1,
      allocated: after.diskBytes,
      debts: [],
      waiters: [],
    });
  },
);
