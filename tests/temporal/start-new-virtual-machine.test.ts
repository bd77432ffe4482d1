import { eq } from 'drizzle-orm';
import {
  capacityClaim,
  cleanupDebt,
  event,
  host,
  reconciliationFinding,
  stageWaiter,
  storagePool,
  templateSpoolRef,
  volumes,
} from '../../db/schema/index.js';
import { recoverDestroyed } from '../../db/virtual-machines.js';
import type { DomainSpec } from '../../shared/virtual-machines.js';
import { reconciliationWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import { reconcileHosts } from '../../workers/control-worker/reconcile-hosts.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import type { FakeHost } from '../support/fake-host.js';
import { hang, refusal } from '../support/host-answers.js';
import { CANCELLED, failed, SUCCEEDED } from '../support/job-ends.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const STOPPED = { state: 'Stopped', hostId: null, isoSpoolRefId: null, errorText: null, ended: null };
const DISK_BYTES = 5 * 1024 ** 3;

const { plane, scenario, join } = useControlPlane({ settings: { 'host.reconnect.grace': '2' } });
let hosts: FakeHost[];

beforeEach(async () => {
  hosts = [await join('host-1')];
});

const diskOf = async (vmId: string) =>
  (await plane.db.select().from(volumes).where(eq(volumes.instanceId, vmId))).map(
    ({ state, poolId, path, templateId, wantedSizeBytes }) => ({ state, poolId, path, templateId, wantedSizeBytes }),
  );
const eventsOf = async (vmId: string) =>
  (await plane.db.select().from(event).where(eq(event.resourceId, vmId)).orderBy(event.created)).map(
    ({ type, level }) => `${type} ${level}`,
  );
const firstStart = async (vmId: string, options?: Parameters<typeof scenario.beginFirstStart>[1]) =>
  scenario.ended(await scenario.beginFirstStart(vmId, options));
const asked = (activity: Parameters<FakeHost['timesAsked']>[0]) =>
  hosts.reduce((sum, fake) => sum + fake.timesAsked(activity), 0);
const isAsked = (activity: Parameters<FakeHost['timesAsked']>[0]) =>
  waitFor(`${activity} is asked for`, async () => asked(activity) > 0);
const lastSpec = () =>
  (hosts[0]!.calls.findLast(({ activity }) => activity === 'startDomain')!.input as { spec: DomainSpec }).spec;
const broken = () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no such machine type'));

/** Stopped as it was made, with nothing on any host, and nothing claimed or owed. */
async function isAsMade(vmId: string): Promise<void> {
  expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
  expect(await diskOf(vmId)).toMatchObject([{ state: 'Allocated', poolId: null, path: null }]);
  await holdsNothing(vmId);
}

async function holdsNothing(vmId: string): Promise<void> {
  const { db } = plane;
  expect(await db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId))).toEqual([]);
  expect(await db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId))).toEqual([]);
  expect(await db.select().from(stageWaiter)).toEqual([]);
  for (const fake of hosts) {
    expect([fake.domains.size, fake.volumes.size]).toEqual([0, 0]);
    const [row] = await db.select().from(host).where(eq(host.id, fake.hostId));
    const [pool] = await db.select().from(storagePool).where(eq(storagePool.id, fake.poolId));
    expect([row!.cpuUsedMhz, row!.ramUsedBytes, pool!.allocatedBytes]).toEqual([0, 0, 0]);
  }
}

describe('a VM that was deployed without being started', () => {
  it('asks nothing of any host until it is started, which deploys it; from then on it has its disk', async () => {
    const vmId = await scenario.stoppedVm(await scenario.template());
    await sweepJobs(plane);
    await plane.db.update(host).set({ reconciled: null });
    await reconcileHosts(plane);
    await plane.client.workflow.getHandle(reconciliationWorkflowId(hosts[0]!.hostId)).result();
    expect(await plane.db.select().from(reconciliationFinding)).toEqual([]);
    await isAsMade(vmId);
    expect(hosts[0]!.timesAsked('downloadTier')).toBe(0);

    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: hosts[0]!.hostId });
    const disk = await diskOf(vmId);
    expect(disk).toMatchObject([{ state: 'Ready', poolId: hosts[0]!.poolId }]);
    expect(await eventsOf(vmId)).toEqual(['VM.START INFO']);

    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    await expect(scenario.beginFirstStart(vmId)).rejects.toThrow('has a disk');
    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject(SUCCEEDED);
    expect([await diskOf(vmId), asked('downloadTier'), asked('createRootVolume')]).toEqual([disk, 1, 1]);
    await scenario.destroy(vmId, true);
    await holdsNothing(vmId);
  });

  it('is Stopped again when no host can start it, and starts later, from a copy that was evicted meanwhile', async () => {
    hosts.push(await join('host-2'));
    hosts[0]!.override('startDomain', broken);
    hosts[1]!.override('createRootVolume', () => Promise.reject(refusal('SLIPWAY_POOL_IO', 'Input/output error')));
    const templateId = await scenario.template();
    const vmId = await scenario.stoppedVm(templateId);
    const job = await firstStart(vmId);
    expect(job).toMatchObject(failed('host-1: no such machine type'));
    expect(job).toMatchObject({ ...failed('host-2: Input/output error'), jobResultCode: 530 });
    await isAsMade(vmId);
    expect(await eventsOf(vmId)).toEqual(['VM.START ERROR']);

    const isOfTemplate = eq(templateSpoolRef.templateId, templateId);
    await plane.db
      .update(templateSpoolRef)
      .set({ unusedSince: new Date(0).toISOString() })
      .where(isOfTemplate);
    await evictUnusedCopies(plane);
    const copies = () => plane.db.select().from(templateSpoolRef).where(isOfTemplate);
    await waitFor('the copies are gone', async () => (await copies()).length === 0);
    hosts[0]!.override('startDomain', undefined);
    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: hosts[0]!.hostId });
    await scenario.destroy(vmId, true);
    await holdsNothing(vmId);
  });

  it.each([
    ['cancelled', CANCELLED],
    ['late', failed('The start took longer than 2 s and was ended while starting the domain')],
    ['terminated', failed('was terminated')],
  ])('is Stopped again when its start is %s', async (what, outcome) => {
    hosts[0]!.override('startDomain', hang);
    const vmId = await scenario.stoppedVm(await scenario.template());
    const job = await scenario.beginFirstStart(vmId, what === 'late' ? { deadlineMs: 2000 } : {});
    await isAsked('startDomain');
    const workflow = plane.client.workflow.getHandle(job.workflowId);
    if (what === 'cancelled') await workflow.cancel();
    if (what === 'terminated') {
      await workflow.terminate('an operator ended it');
      await scenario.age(job);
      await sweepJobs(plane);
    }
    expect(await scenario.ended(job)).toMatchObject(outcome);
    await isAsMade(vmId);
  });

  it('starts on another host while one that does not answer still has to undo the start before', async () => {
    const [debtor] = hosts;
    const silent = () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'The host worker fell silent'));
    debtor!.override('startDomain', ({ spec, token }) => {
      debtor!.domains.set(spec.vmId, token);
      return silent();
    });
    debtor!.override('removeDeployment', silent);
    const isoId = await scenario.template({ format: 'ISO' });
    const vmId = await scenario.stoppedVm(await scenario.template());
    await scenario.operate('attachIso', vmId, { isoId });
    expect(await firstStart(vmId)).toMatchObject(failed('fell silent'));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    const owed = () => plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId));
    expect(await owed()).toMatchObject([{ hostId: debtor!.hostId, keepsDisk: false }]);

    const other = await join('host-2');
    hosts.push(other);
    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    const running = { state: 'Running', hostId: other.hostId };
    const { isoSpoolRefId } = await scenario.vmRow(vmId);
    debtor!.override('removeDeployment', undefined);
    await debtor!.stop();
    await debtor!.start();
    await waitFor('it is paid', async () => (await owed()).length === 0);
    expect([debtor!.domains.size, debtor!.volumes.size, other.domains.size, other.volumes.size]).toEqual([0, 0, 1, 1]);
    expect(isoSpoolRefId).not.toBeNull();
    expect(await scenario.vmRow(vmId)).toMatchObject({ ...running, isoSpoolRefId });
    expect(await diskOf(vmId)).toMatchObject([{ state: 'Ready', poolId: other.poolId }]);
    await scenario.destroy(vmId, true);
    await holdsNothing(vmId);
  });

  it('keeps its template from being deleted; deleted by force, another one is given to it', async () => {
    const templateId = await scenario.template();
    const vmId = await scenario.stoppedVm(templateId);
    expect(await scenario.deleteTemplate(templateId)).toMatchObject(failed('there are [1] VM instances using it'));
    expect(await scenario.deleteTemplate(templateId, { isForced: true })).toMatchObject(SUCCEEDED);
    expect(await firstStart(vmId)).toMatchObject(failed('is not ready in the zone of the VM'));
    await isAsMade(vmId);

    const restore = (input: object) => scenario.operate('restoreVirtualMachine', vmId, { isToRun: false, ...input });
    expect(await restore({})).toMatchObject(failed('is not ready in the zone'));
    const other = await scenario.template();
    expect(await restore({ templateId: other, sizeBytes: 1 })).toMatchObject(failed('is smaller than template'));
    expect(await restore({ templateId: other, sizeBytes: DISK_BYTES })).toMatchObject(SUCCEEDED);
    expect(asked('createRootVolume')).toBe(0);
    await isAsMade(vmId);
    expect(await diskOf(vmId)).toMatchObject([{ templateId: other, wantedSizeBytes: DISK_BYTES }]);
    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    expect([...hosts[0]!.disks.values()]).toMatchObject([
      { type: 'overlay', template: expect.stringContaining(other) as string, sizeBytes: DISK_BYTES },
    ]);
    await scenario.destroy(vmId, true);
  });

  it('is destroyed and recovered, and expunged, before its first start, without a word to any host', async () => {
    const vmId = await scenario.stoppedVm(await scenario.template());
    expect(await scenario.operate('stopVirtualMachine', vmId, { isForced: false })).toMatchObject(SUCCEEDED);
    expect(await scenario.destroy(vmId, false)).toMatchObject(SUCCEEDED);
    expect((await scenario.vmRow(vmId)).state).toBe('Destroyed');
    await recoverDestroyed(plane.db, vmId);
    await isAsMade(vmId);
    expect(await scenario.destroy(vmId, true)).toMatchObject(SUCCEEDED);
    expect((await scenario.vmRow(vmId)).state).toBe('Expunged');
    expect([asked('stopDomain'), asked('removeDeployment')]).toEqual([0, 0]);
  });

  it('has an ISO attached, which comes to the pool when it starts; not one that was detached again', async () => {
    const isoId = await scenario.template({ format: 'ISO' });
    const templateId = await scenario.template();
    const vmId = await scenario.stoppedVm(templateId);
    const attach = () => scenario.operate('attachIso', vmId, { isoId });
    expect([await attach(), await scenario.operate('detachIso', vmId), await attach()]).toMatchObject([
      SUCCEEDED,
      SUCCEEDED,
      SUCCEEDED,
    ]);
    expect(await scenario.vmRow(vmId)).toMatchObject({ ...STOPPED, isoId });
    expect(await scenario.deleteTemplate(isoId)).toMatchObject(failed("as it's used by other vms"));
    hosts[0]!.override('startDomain', broken);
    expect(await firstStart(vmId)).toMatchObject(failed('no such machine type'));
    await isAsMade(vmId);

    hosts[0]!.override('startDomain', undefined);
    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    expect(lastSpec()).toMatchObject({ iso: expect.stringContaining(isoId) as string, bootsFromIso: false });
    expect((await scenario.vmRow(vmId)).isoSpoolRefId).not.toBeNull();
    await scenario.destroy(vmId, true);
  });

  it('brings no ISO to a pool that was deleted by force, and needs none that was detached', async () => {
    const isoId = await scenario.template({ format: 'ISO' });
    const vmId = await scenario.stoppedVm(await scenario.template());
    const installedId = await scenario.stoppedVm(isoId, { blankDiskBytes: DISK_BYTES });
    await scenario.operate('attachIso', vmId, { isoId });
    await scenario.operate('detachIso', installedId);
    expect(await scenario.deleteTemplate(isoId, { isForced: true })).toMatchObject(SUCCEEDED);
    expect(await firstStart(vmId)).toMatchObject(failed('is not ready in the zone of the VM'));
    await isAsMade(vmId);
    expect(await firstStart(installedId)).toMatchObject(SUCCEEDED);
    expect(lastSpec()).toMatchObject({ iso: null, bootsFromIso: false });
    await scenario.operate('detachIso', vmId);
    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    expect(lastSpec()).toMatchObject({ iso: null });
    for (const id of [vmId, installedId]) await scenario.destroy(id, true);
  });

  it('is installed from an ISO at its first start, unless that was detached', async () => {
    const isoId = await scenario.template({ format: 'ISO' });
    const make = () => scenario.stoppedVm(isoId, { blankDiskBytes: DISK_BYTES });
    const [vmId, emptyId] = [await make(), await make()];
    expect(await firstStart(vmId)).toMatchObject(SUCCEEDED);
    expect(lastSpec()).toMatchObject({ iso: expect.stringContaining(isoId) as string, bootsFromIso: true });
    await scenario.operate('detachIso', emptyId);
    expect(await firstStart(emptyId)).toMatchObject(SUCCEEDED);
    expect(lastSpec()).toMatchObject({ iso: null, bootsFromIso: false });
    expect([...hosts[0]!.disks.values()]).toEqual([
      { type: 'blank', sizeBytes: DISK_BYTES },
      { type: 'blank', sizeBytes: DISK_BYTES },
    ]);
    for (const id of [vmId, emptyId]) await scenario.destroy(id, true);
  });
});
