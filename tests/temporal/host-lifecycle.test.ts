import { and, eq } from 'drizzle-orm';
import type { WatchHostInput } from '../../activities/host/watch-host.js';
import { cleanupDebt, event, host, JOB_STATUS, storagePool } from '../../db/schema/index.js';
import type { HostFacts, HostStatus } from '../../shared/hosts.js';
import { OLDEST_HOST_PROTOCOL, SLIPWAY_VERSION } from '../../shared/version.js';
import { hostWorkflowId, stageWorkflowId } from '../../shared/workflow-ids.js';
import { resumeLives } from '../../workers/control-worker/resume-lives.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { hang, refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('hostLifecycle', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;

  beforeEach(async () => {
    fake = await join('host-1');
  });

  const eventsOf = async (type: string, resourceId: string): Promise<string[]> => {
    const rows = await plane.db
      .select()
      .from(event)
      .where(and(eq(event.type, type), eq(event.resourceId, resourceId)));
    return rows.map(({ description }) => description);
  };
  const poolRow = async () => (await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId)))[0]!;

  const hostRow = async () => (await plane.db.select().from(host).where(eq(host.id, fake.hostId)))[0]!;

  it('records what the host says about itself and its pools', async () => {
    const [pool] = await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId));
    expect(pool).toMatchObject({ capacityBytes: 100 * 1024 ** 3, usedBytes: 0 });
  });

  it('shows a host whose worker has stopped as Down, and as Up when it is back', async () => {
    await fake.stop();
    await fake.isStatus('Down');
    await fake.start();
    await fake.isStatus('Up');
  });

  it('is not Up while it owes an undo that it cannot do', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    fake.override('removeDeployment', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is away')));
    await scenario.destroy(vmId, true);
    await fake.stop();
    await fake.start();
    await waitFor('it tries to pay', async () => fake.timesAsked('removeDeployment') > 1);
    await fake.isStatus('Alert');
    fake.override('removeDeployment', undefined);
    await fake.isStatus('Up');
    expect(fake.domains.size).toBe(0);
  });

  it('pays, while it is Up, an undo that has failed there', async () => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    fake.override('removeDeployment', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is busy')));
    await scenario.destroy(vmId, true);
    fake.override('removeDeployment', undefined);
    // Its domains change, and so the watch ends a round.
    await scenario.deploy(templateId);
    await waitFor('it has paid', async () => (await plane.db.select().from(cleanupDebt)).length === 0);
    expect(fake.domains.has(vmId)).toBe(false);
  });

  it('is Alert, with the reason, and asked again, when its worker comes back without libvirt', async () => {
    await fake.stop();
    fake.override('hello', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is away')));
    await fake.start();
    await fake.isStatus('Alert');
    expect(await eventsOf('HOST.ALERT', fake.hostId)).toEqual(['Host host-1 is Alert: libvirt is away']);
    fake.override('hello', undefined);
    await fake.isStatus('Up');
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['no facts', { domains: [] }],
    ['neither pools nor domains', { facts: { bootId: 'b' }, domains: null, partials: null }],
  ])('is Alert, and says why, when it answers nonsense: %s', async (_, nonsense) => {
    await fake.stop();
    fake.override('hello', () => Promise.resolve(nonsense as HostStatus));
    await fake.start();
    await fake.isStatus('Alert');
    expect(await eventsOf('HOST.ALERT', fake.hostId)).toEqual([
      'Host host-1 is Alert: The host answered something that no host worker answers',
    ]);
    fake.override('hello', undefined);
    // Of a new process: a pause of many seconds ends with it.
    await fake.stop();
    await fake.start();
    await fake.isStatus('Up');
    fake.override('watchHost', () => Promise.resolve(nonsense as HostStatus));
    await fake.isStatus('Alert');
  });

  it('is shown with its version, and says once that it is of another release', async () => {
    const start = async (version: Partial<HostFacts>) => {
      await fake.stop();
      fake.override('hello', () => {
        const { facts, domains } = fake.status();
        return Promise.resolve({ facts: { ...facts, ...version }, domains });
      });
      await fake.start();
    };
    const saidHello = () => waitFor('it has said hello', async () => (await hostRow()).bootId === fake.bootId);
    for (const _ of [1, 2]) {
      await start({ slipwayVersion: '99.1.0', protocolVersion: 99 });
      await saidHello();
    }
    const versionSkew = `the host runs Slipway 99.1.0, and the control workers ${SLIPWAY_VERSION}`;
    expect(await hostRow()).toMatchObject({ slipwayVersion: '99.1.0', versionSkew });
    expect(await eventsOf('HOST.VERSION.SKEW', fake.hostId)).toEqual([
      `Host host-1: ${versionSkew}. Bring both to one release`,
    ]);

    await start({ slipwayVersion: '0.0.1', protocolVersion: OLDEST_HOST_PROTOCOL - 1 });
    await fake.isStatus('Alert');
    expect((await eventsOf('HOST.ALERT', fake.hostId)).join()).toContain('runs Slipway 0.0.1, which speaks protocol 0');

    await start({});
    await saidHello();
    await fake.isStatus('Up');
    expect(await hostRow()).toMatchObject({ slipwayVersion: null, versionSkew: null });
  });

  it('is Alert as long as it can use none of its pools, takes no work then, and says each once', async () => {
    fake.poolProblem = 'its file system is read-only';
    await fake.isStatus('Alert');
    await plane.db
      .update(host)
      .set({ lastPinged: new Date(0).toISOString() })
      .where(eq(host.id, fake.hostId));
    const { job } = await scenario.deploy(await scenario.template());
    expect(job.jobResult).toMatchObject({ errortext: expect.stringContaining('host-1: is Alert') as string });
    // Another look with the same trouble.
    fake.capacityBytes *= 2;
    await new Promise((resolve) => setTimeout(resolve, 200));
    fake.poolProblem = undefined;
    await fake.isStatus('Up');
    const place = `Host host-1 cannot use pool ${(await poolRow()).name}, and gets no new disks there`;
    expect(await eventsOf('STORAGE.POOL.UNAVAILABLE', fake.poolId)).toEqual([`${place}: its file system is read-only`]);
    expect(await eventsOf('STORAGE.POOL.AVAILABLE', fake.poolId)).toHaveLength(1);
    expect((await scenario.deploy(await scenario.template())).job.jobStatus).toBe(JOB_STATUS.succeeded);
  });

  it('stays Up while all its slots for short work are taken', async () => {
    await fake.stop();
    fake.shortSlots = 1;
    const { opened, open: release } = gate();
    fake.override('createRootVolume', async () => {
      await opened;
      return { fileName: 'disk', virtualSizeBytes: 1 };
    });
    await fake.start();
    await fake.isStatus('Up');
    const { job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the slot is taken', async () => fake.timesAsked('createRootVolume') === 1);
    const watched = fake.timesAsked('watchHost');
    fake.capacityBytes *= 2;
    await waitFor('it is watched again', async () => fake.timesAsked('watchHost') > watched);
    await waitFor('its report is recorded', async () => (await poolRow()).capacityBytes === fake.capacityBytes);
    expect(await eventsOf('HOST.DOWN', fake.hostId)).toEqual([]);
    release();
    expect((await scenario.ended(job)).jobStatus).toBe(JOB_STATUS.succeeded);
  });

  it('lets a deployment wait for a host that is only just away', async () => {
    await fake.stop();
    await fake.isStatus('Down');
    const { job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await fake.start();
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
  });

  it('lets no deployment wait for a host that has been away for longer than the grace', async () => {
    await fake.stop();
    await fake.isStatus('Down');
    const lastPinged = new Date(Date.now() - 61_000).toISOString();
    await plane.db.update(host).set({ lastPinged }).where(eq(host.id, fake.hostId));
    const { job } = await scenario.deploy(await scenario.template());
    expect(job.jobResult).toMatchObject({
      slipwaycode: 'SLIPWAY_NO_HOST',
      errortext: expect.stringContaining('host-1: is Down') as string,
    });
  });

  it('shows a VM that ended by itself as Stopped', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    const token = fake.domains.get(vmId)!;
    fake.domains.delete(vmId);
    fake.override('watchHost', () =>
      Promise.resolve({ ...fake.status(), domains: [{ vmId, token, state: 'Stopped' as const }] }),
    );
    await waitFor('the VM is Stopped', async () => (await scenario.vmRow(vmId)).state === 'Stopped');
  });

  it('ignores a report about an older domain of a VM', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    const token = fake.domains.get(vmId)! - 2;
    let reports = 0;
    fake.override('watchHost', async () => {
      reports++;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { ...fake.status(), domains: [{ vmId, token, state: 'Stopped' as const }] };
    });
    await waitFor('the report has come twice', async () => reports > 2);
    expect((await scenario.vmRow(vmId)).state).toBe('Running');
  });

  it('ends at once a domain that was doubtful, and that the host has named again', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    const token = fake.domains.get(vmId)!;
    await scenario.operate('stopVirtualMachine', vmId);
    // Gone and there again between two looks of the host it would be as it was known.
    await waitFor('the host has told that it ended', async () => {
      const last = fake.calls.findLast(({ activity }) => activity === 'watchHost')!.input as WatchHostInput;
      return !last.known.domains.some((domain) => domain.vmId === vmId && domain.state === 'Running');
    });
    const asked = { stops: fake.timesAsked('stopDomain'), watches: fake.timesAsked('watchHost') };
    // What says that it runs may be from before it was stopped.
    fake.domains.set(vmId, token);
    await waitFor('it has ended', async () => !fake.domains.has(vmId));
    expect(fake.timesAsked('stopDomain')).toBe(asked.stops + 1);
    // One that named it first, one that named it again, and what the host has to tell beside.
    expect(fake.timesAsked('watchHost') - asked.watches).toBeLessThan(6);
    const { name } = await scenario.vmRow(vmId);
    expect(await eventsOf('VM.STOP', vmId)).toContainEqual(`VM ${name} runs on host host-1, and is ended there`);
  });

  it('ends with what the host says next, when nobody could tell it that the host was removed', async () => {
    const life = plane.client.workflow.getHandle(hostWorkflowId(fake.hostId));
    const removed = new Date().toISOString();
    await plane.db
      .update(host)
      .set({ status: 'Removed', resourceState: 'Disabled', removed })
      .where(eq(host.id, fake.hostId));
    fake.override('watchHost', () => Promise.resolve(fake.status()));
    await life.result();
    // Not only with its next hello: a host that goes on has none.
    expect([fake.timesAsked('hello'), fake.timesAsked('dismissHost')]).toEqual([1, 1]);
    expect(await hostRow()).toMatchObject({ status: 'Removed' });
  });

  it('begins a download again at once when the host worker restarts, without waiting for a timeout', async () => {
    let downloads = 0;
    fake.override('downloadTier', async () => {
      if (++downloads > 1) return { sizeBytes: 1, resumedFromBytes: 1, digests: [], mirrors: [] };
      // The process that ran this one is killed: it never answers, and nobody will say so for 60 seconds.
      return hang();
    });
    const { job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('the download has begun', async () => downloads === 1);
    await plane.client.workflow.getHandle(hostWorkflowId(fake.hostId)).signal('workerStarted', { bootId: 'next' });
    fake.bootId = 'next';
    // Well below the heartbeat timeout.
    expect(await scenario.ended(job, 30_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(downloads).toBe(2);
  });

  it('is begun again when somebody has ended it, and left alone as long as it goes on', async () => {
    const life = plane.client.workflow.getHandle(hostWorkflowId(fake.hostId));
    const runOf = async () => (await life.describe()).runId;
    const silent = () =>
      plane.db
        .update(host)
        .set({ lastPinged: new Date(Date.now() - 3_600_000).toISOString() })
        .where(eq(host.id, fake.hostId));
    const before = await runOf();
    await silent();
    await resumeLives(plane);
    expect(await runOf()).toBe(before);
    await life.terminate('somebody has ended it in the Temporal Web UI');
    await resumeLives(plane);
    expect(await runOf()).not.toBe(before);
    const { capacityBytes } = fake;
    fake.capacityBytes *= 2;
    await waitFor('it is watched', async () => (await poolRow()).capacityBytes === 2 * capacityBytes);
    // One that says what it is needs nobody who begins its life.
    await life.terminate('again');
    const ended = await runOf();
    await resumeLives(plane);
    expect(await runOf()).toBe(ended);
  });

  it('tells downloads nothing that was overtaken', async () => {
    const { opened, open: finish } = gate();
    fake.override('downloadTier', async () => {
      await opened;
      return { sizeBytes: 1, resumedFromBytes: 0, digests: [], mirrors: [] };
    });
    const templateId = await scenario.template();
    const { job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('the download has begun', async () => fake.timesAsked('downloadTier') === 1);
    const { hostId, bootId } = fake;
    const stage = plane.client.workflow.getHandle(stageWorkflowId(fake.poolId, templateId, 1));
    await stage.signal('hostChanged', { hostId, bootId, status: 'Up', sentMs: 3 });
    await stage.signal('hostChanged', { hostId, bootId, status: 'Down', sentMs: 2 });
    let later: NonNullable<Awaited<ReturnType<typeof stage.fetchHistory>>['events']> = [];
    await waitFor('it has heard of both', async () => {
      const events = (await stage.fetchHistory()).events!;
      later = events.slice(events.findLastIndex((event) => event.workflowExecutionSignaledEventAttributes));
      return later.some((event) => event.workflowTaskCompletedEventAttributes);
    });
    // With a host that is Down it would wait, for a while.
    expect(later.filter((event) => event.timerStartedEventAttributes)).toEqual([]);
    finish();
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
  });

  it('goes on in a new run when its history has grown', async () => {
    const workflowId = 'host-rounds';
    const handle = await plane.client.workflow.start('hostLifecycle', {
      workflowId,
      taskQueue: 'control',
      args: [{ hostId: fake.hostId, maximumRounds: 0 }],
    });
    const runOf = async () => (await plane.client.workflow.getHandle(workflowId).describe()).runId;
    await waitFor('it has a new run', async () => (await runOf()) !== handle.firstExecutionRunId);
    await plane.client.workflow.getHandle(workflowId).terminate();
  });
});
