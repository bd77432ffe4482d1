import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { recoverDestroyed } from '../../db/virtual-machines.js';
import {
  asyncJob,
  capacityClaim,
  cleanupDebt,
  cluster,
  event,
  host,
  JOB_STATUS,
  storagePool,
} from '../../db/schema/index.js';
import { writeSettings } from '../../db/settings.js';
import type { HostStatus } from '../../shared/hosts.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { addZone } from '../support/add-zone.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { hang, refusal } from '../support/host-answers.js';
import { failed, SUCCEEDED } from '../support/job-ends.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const STOPPED = { state: 'Stopped', hostId: null };

// So that nobody waits for long for a host that owes something.
const { plane, scenario, join } = useControlPlane({ settings: { 'host.reconnect.grace': '2' } });

const claims = (vmId: string) => plane.db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId));
const debts = (vmId: string) => plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId));
const used = async ({ hostId }: FakeHost) => {
  const [row] = await plane.db.select().from(host).where(eq(host.id, hostId));
  return { cpu: row!.cpuUsedMhz, ram: row!.ramUsedBytes };
};
const allocated = async (poolId: string) =>
  (await plane.db.select().from(storagePool).where(eq(storagePool.id, poolId)))[0]!.allocatedBytes;
const events = async (vmId: string) =>
  (await plane.db.select().from(event).where(eq(event.resourceId, vmId)).orderBy(event.created)).map(
    ({ type }) => type,
  );

const start = (vmId: string, hostId?: string) => scenario.operate('startVirtualMachine', vmId, { hostId });
const stop = (vmId: string, isForced = false) => scenario.operate('stopVirtualMachine', vmId, { isForced });
const reboot = (vmId: string, isForced = false) => scenario.operate('rebootVirtualMachine', vmId, { isForced });

const isState = (vmId: string, state: string) =>
  waitFor(`the VM is ${state}`, async () => (await scenario.vmRow(vmId)).state === state);

/** What its host says now was not on its way when they ended. */
const ageJobs = (vmId: string) =>
  plane.db
    .update(asyncJob)
    .set({ completed: new Date(Date.now() - 60_000).toISOString() })
    .where(eq(asyncJob.instanceId, vmId));

/** Its host has told that the domain has ended; one that is there again before that would be no news. */
const isToldStopped = (fake: FakeHost, vmId: string) =>
  waitFor('its host has told of the end', async () => {
    const watch = fake.calls.findLast(({ activity }) => activity === 'watchHost')?.input as { known: HostStatus };
    return watch.known.domains.some((domain) => domain.vmId === vmId && domain.state === 'Stopped');
  });

describe('a VM on a pool of its host', () => {
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
    expect(await stop(vmId)).toMatchObject(SUCCEEDED);
    return vmId;
  };

  it('is stopped, gives CPU and memory back and keeps its disk; it starts again without a download; it is expunged', async () => {
    const vmId = await running();
    const whileRunning = await used(fake);
    const [disk, volumes] = [await allocated(fake.poolId), [...fake.volumes]];
    expect(disk).toBeGreaterThan(0);

    expect(await stop(vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(await used(fake)).toEqual({ cpu: 0, ram: 0 });
    expect([await allocated(fake.poolId), [...fake.volumes], fake.domains.size]).toEqual([disk, volumes, 0]);
    expect(await stop(vmId)).toMatchObject(SUCCEEDED);

    const downloads = fake.timesAsked('downloadTier');
    const before = (await scenario.vmRow(vmId)).fenceToken;
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
    const row = await scenario.vmRow(vmId);
    expect(row).toMatchObject({ state: 'Running', hostId: fake.hostId });
    expect(row.fenceToken).toBeGreaterThan(before);
    expect(fake.domains.get(vmId)).toBe(row.fenceToken);
    expect(await used(fake)).toEqual(whileRunning);
    expect([await allocated(fake.poolId), [...fake.volumes]]).toEqual([disk, volumes]);
    expect(fake.timesAsked('downloadTier')).toBe(downloads);
    expect(await events(vmId)).toEqual(['VM.CREATE', 'VM.STOP', 'VM.START']);

    await scenario.destroy(vmId, true);
    expect([await claims(vmId), await debts(vmId), fake.volumes.size]).toEqual([[], [], 0]);
    expect([await used(fake), await allocated(fake.poolId)]).toEqual([{ cpu: 0, ram: 0 }, 0]);
  });

  it('tells its host how long the guest may take, and whether to ask it at all', async () => {
    await writeSettings(plane.db, { 'stop.script.timeout': '7' });
    const vmId = await running();
    await reboot(vmId);
    await stop(vmId, true);
    const asked = (activity: string) => fake.calls.find((call) => call.activity === activity)?.input;
    expect(asked('rebootDomain')).toMatchObject({ vmId, isForced: false, timeoutMs: 7000 });
    expect(asked('stopDomain')).toMatchObject({ vmId, isForced: true });
  });

  it('is rebooted where it is, and Running all the time', async () => {
    const vmId = await running();
    const before = await scenario.vmRow(vmId);
    expect(await reboot(vmId, true)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toEqual(before);
    expect(fake.timesAsked('startDomain')).toBe(1);
  });

  it.each([
    ['startVirtualMachine', 'Running', 'only a Stopped one can'],
    ['rebootVirtualMachine', 'Stopped', 'only a Running one can'],
    ['stopVirtualMachine', 'Destroyed', 'only a Running one can'],
    ['startVirtualMachine', 'Destroyed', 'only a Stopped one can'],
  ])('%s of a VM that is %s fails and changes nothing', async (workflowType, state, text) => {
    const vmId = state === 'Running' ? await running() : await stopped();
    if (state === 'Destroyed') await scenario.destroy(vmId, false);
    const before = await scenario.vmRow(vmId);
    const job = await scenario.operate(workflowType, vmId, { isForced: false });
    expect(job).toMatchObject({ ...failed(text), jobResultCode: 431 });
    expect(await scenario.vmRow(vmId)).toEqual(before);
  });

  it('is busy while an operation works on it', async () => {
    const vmId = await running();
    fake.override('stopDomain', hang);
    const job = await scenario.begin('stopVirtualMachine', vmId, { isForced: false });
    await expect(scenario.begin('startVirtualMachine', vmId)).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_BUSY' });
    await expect(recoverDestroyed(plane.db, vmId)).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_BUSY' });
    await isState(vmId, 'Stopping');
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
    await scenario.ended(job);
  });

  it('is Stopped again, with the reason in the job, when it cannot be started', async () => {
    const vmId = await stopped();
    fake.override('startDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no such machine type')));
    expect(await start(vmId)).toMatchObject(failed('host-1: no such machine type'));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect([await used(fake), fake.volumes.size, await debts(vmId)]).toEqual([{ cpu: 0, ram: 0 }, 1, []]);
    fake.override('startDomain', undefined);
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
  });

  it('is not started when its host is full, and is when there is room again', async () => {
    const vmId = await stopped();
    const { hostId } = fake;
    await plane.db
      .update(host)
      .set({ ramUsedBytes: 16 * 1024 ** 3 })
      .where(eq(host.id, hostId));
    expect(await start(vmId)).toMatchObject(failed('host-1: has 0 MiB of memory free'));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    await plane.db.update(host).set({ ramUsedBytes: 0 }).where(eq(host.id, hostId));
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
  });

  it('takes the last room of its host, and another that is started at the same time does not', async () => {
    const vmIds = [await stopped(), await stopped(), await stopped()];
    const full = 16 * 1024 ** 3;
    // For one of them.
    const ramUsedBytes = full - 700 * 1024 ** 2;
    await plane.db.update(host).set({ ramUsedBytes }).where(eq(host.id, fake.hostId));
    const jobs = await Promise.all(vmIds.map((vmId) => start(vmId)));
    const rows = await Promise.all(vmIds.map((vmId) => scenario.vmRow(vmId)));
    expect(rows.map(({ state }) => state).toSorted()).toEqual(['Running', 'Stopped', 'Stopped']);
    expect(jobs.map(({ jobStatus }) => jobStatus)).toEqual(
      rows.map(({ state }) => (state === 'Running' ? JOB_STATUS.succeeded : JOB_STATUS.failed)),
    );
    const { ram } = await used(fake);
    expect([ram > ramUsedBytes, ram <= full]).toEqual([true, true]);
  });

  it('is not started on a host that does not reach its disk', async () => {
    const vmId = await stopped();
    const other = await join('host-2');
    expect(await start(vmId, other.hostId)).toMatchObject(failed('host-2: does not reach the pool of the root disk'));
    const { podId } = await addZone(plane.db);
    const noHost = failed('No host that reaches the root disk can take the virtual machine');
    expect(await scenario.operate('startVirtualMachine', vmId, { podId })).toMatchObject(noHost);
    expect(await start(vmId, fake.hostId)).toMatchObject(SUCCEEDED);
  });

  it('is recovered after a destroy, and starts again', async () => {
    const vmId = await running();
    await expect(recoverDestroyed(plane.db, vmId)).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_STATE' });
    await scenario.destroy(vmId, false);
    await recoverDestroyed(plane.db, vmId);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
    await scenario.destroy(vmId, true);
    await expect(recoverDestroyed(plane.db, vmId)).rejects.toMatchObject({ code: 'SLIPWAY_RESOURCE_STATE' });
    expect(await claims(vmId)).toEqual([]);
  });

  it('that stopped by itself has given CPU and memory back, and starts again', async () => {
    const vmId = await running();
    fake.domains.delete(vmId);
    await isState(vmId, 'Stopped');
    expect(await used(fake)).toEqual({ cpu: 0, ram: 0 });
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
    expect(fake.domains.get(vmId)).toBe((await scenario.vmRow(vmId)).fenceToken);
  });

  it('is noticed to have ended while it is rebooted', async () => {
    const vmId = await running();
    fake.override('rebootDomain', async () => {
      fake.domains.delete(vmId);
      await isState(vmId, 'Stopped');
      throw refusal('SLIPWAY_HYPERVISOR', 'it does not run here');
    });
    expect(await reboot(vmId)).toMatchObject(failed('it does not run here'));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(await used(fake)).toEqual({ cpu: 0, ram: 0 });
  });

  it('is ended where it runs although it is Stopped: a host that was cut off may have started it late', async () => {
    const vmId = await stopped();
    const { fenceToken } = await scenario.vmRow(vmId);
    await isToldStopped(fake, vmId);
    await ageJobs(vmId);
    fake.domains.set(vmId, fenceToken);
    await waitFor('it is ended', async () => !fake.domains.has(vmId));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(fake.volumes.size).toBe(1);
    expect(await events(vmId)).toContain('VM.STOP');
  });

  it('is stopped once, although what its host said before that comes late', async () => {
    const vmId = await running();
    const [seen, stopped] = [gate(), gate()];
    fake.override('watchHost', async () => {
      const status = fake.status();
      seen.open();
      await stopped.opened;
      fake.override('watchHost', undefined);
      return status;
    });
    await seen.opened;
    expect(await stop(vmId, true)).toMatchObject(SUCCEEDED);
    stopped.open();
    await isToldStopped(fake, vmId);
    expect(fake.timesAsked('stopDomain')).toBe(1);
    expect(await events(vmId)).toEqual(['VM.CREATE', 'VM.STOP']);
  });

  it('runs on when its stop fails, and is stopped the next time', async () => {
    const vmId = await running();
    fake.override('stopDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is busy')));
    expect(await stop(vmId)).toMatchObject(failed('libvirt is busy'));
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: fake.hostId });
    fake.override('stopDomain', undefined);
    expect(await stop(vmId)).toMatchObject(SUCCEEDED);
  });

  it('is Stopped when the stop failed and its host finds it gone all the same', async () => {
    const vmId = await running();
    fake.override('stopDomain', () => {
      fake.domains.delete(vmId);
      return Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt did not answer'));
    });
    expect(await stop(vmId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(await used(fake)).toEqual({ cpu: 0, ram: 0 });
  });

  it('stays Running when its host does not answer, unless it is forced: then no host starts it until that one has paid', async () => {
    const vmId = await running();
    const unreachable = () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'The host worker fell silent'));
    fake.override('stopDomain', unreachable);
    expect(await stop(vmId)).toMatchObject(failed('fell silent'));
    expect((await scenario.vmRow(vmId)).state).toBe('Running');

    expect(await stop(vmId, true)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect((await used(fake)).ram).toBeGreaterThan(0);
    expect(await start(vmId)).toMatchObject(failed('host-1: may still run it'));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);

    fake.override('stopDomain', undefined);
    await fake.stop();
    await fake.start();
    await waitFor('the debt is paid', async () => (await debts(vmId)).length === 0);
    expect([await used(fake), fake.domains.size]).toEqual([{ cpu: 0, ram: 0 }, 0]);
    await fake.isStatus('Up');
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
  });
});

describe('a VM on a pool that two hosts share', () => {
  let hosts: [FakeHost, FakeHost];
  let poolId: string;

  beforeEach(async () => {
    poolId = randomUUID();
    hosts = [await join('host-1', { poolId }), await join('host-2', { poolId })];
  });

  /** Stopped, with the host that it ran on and the other one. */
  const stopped = async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    const { hostId } = await scenario.vmRow(vmId);
    expect(await stop(vmId)).toMatchObject(SUCCEEDED);
    const [last, other] = hostId === hosts[0].hostId ? hosts : ([hosts[1], hosts[0]] as const);
    return { vmId, last, other };
  };

  it('starts in the cluster that is named', async () => {
    const { vmId, last, other } = await stopped();
    const { zoneId, podId, clusterId: first } = plane.seeded;
    const [second] = await plane.db.insert(cluster).values({ name: 'second', podId, dataCenterId: zoneId }).returning();
    await plane.db.update(host).set({ clusterId: second!.id }).where(eq(host.id, other.hostId));
    for (const [clusterId, { hostId }] of [
      [first, last],
      [second!.id, other],
    ] as const) {
      expect(await scenario.operate('startVirtualMachine', vmId, { podId, clusterId })).toMatchObject(SUCCEEDED);
      expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId });
      expect(await stop(vmId)).toMatchObject(SUCCEEDED);
    }
  });

  it('starts on the other host; when it is expunged both forget it, and its disk is counted once', async () => {
    const { vmId, last, other } = await stopped();
    const disk = await allocated(poolId);
    expect(await start(vmId, other.hostId)).toMatchObject(SUCCEEDED);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: other.hostId });
    expect(await allocated(poolId)).toBe(disk);
    expect((await used(last)).ram).toBe(0);
    expect((await used(other)).ram).toBeGreaterThan(0);
    await stop(vmId);
    expect(await start(vmId, last.hostId)).toMatchObject(SUCCEEDED);
    expect(await claims(vmId)).toHaveLength(2);

    await scenario.destroy(vmId, true);
    expect(hosts.map((fake) => fake.timesAsked('removeDeployment'))).toEqual([1, 1]);
    expect([await claims(vmId), await allocated(poolId)]).toEqual([[], 0]);
    expect([await used(last), await used(other)]).toEqual([
      { cpu: 0, ram: 0 },
      { cpu: 0, ram: 0 },
    ]);
  });

  it('starts on the next host when the first cannot', async () => {
    const { vmId } = await stopped();
    let first: FakeHost | undefined;
    for (const fake of hosts) {
      fake.override('startDomain', ({ spec, token }) => {
        first ??= fake;
        if (first === fake) return Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no such machine type'));
        return Promise.resolve(void fake.domains.set(spec.vmId, token));
      });
    }
    expect(await start(vmId)).toMatchObject(SUCCEEDED);
    expect((await scenario.vmRow(vmId)).hostId).not.toBe(first!.hostId);
    expect(await used(first!)).toEqual({ cpu: 0, ram: 0 });
  });

  it('is started nowhere else as long as a host may run it, which ends it when it is back', async () => {
    const { vmId } = await stopped();
    const unreachable = () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'The host worker fell silent'));
    let lost: FakeHost | undefined;
    for (const fake of hosts) {
      fake.override('stopDomain', unreachable);
      fake.override('startDomain', ({ spec, token }) => {
        lost ??= fake;
        fake.domains.set(spec.vmId, token);
        return unreachable();
      });
    }
    const job = await start(vmId);
    expect(job).toMatchObject(failed(`${lost!.name}: may still run it`));
    expect(await scenario.vmRow(vmId)).toMatchObject(STOPPED);
    expect(hosts[0].domains.size + hosts[1].domains.size).toBe(1);

    for (const fake of hosts) {
      fake.override('stopDomain', undefined);
      fake.override('startDomain', undefined);
    }
    await lost!.stop();
    await lost!.start();
    await waitFor('it is ended there', async () => lost!.domains.size === 0 && (await debts(vmId)).length === 0);
    const [next] = hosts.filter((fake) => fake !== lost);
    expect(await start(vmId, next!.hostId)).toMatchObject(SUCCEEDED);
  });

  it('that runs on another host by now is ended where it should not run', async () => {
    const { vmId, last, other } = await stopped();
    const { fenceToken } = await scenario.vmRow(vmId);
    expect(await start(vmId, other.hostId)).toMatchObject(SUCCEEDED);
    await isToldStopped(last, vmId);
    await ageJobs(vmId);
    last.domains.set(vmId, fenceToken);
    await waitFor('it is ended', async () => !last.domains.has(vmId));
    expect(last.calls.findLast(({ activity }) => activity === 'stopDomain')!.input).toMatchObject({ isForced: true });
    expect(other.domains.has(vmId)).toBe(true);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: other.hostId });
  });
});
