import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { eq, inArray } from 'drizzle-orm';
import {
  capacityClaim,
  cleanupDebt,
  host,
  JOB_STATUS,
  stageWaiter,
  templateSpoolRef,
  vmTemplate,
  volumes,
} from '../../db/schema/index.js';
import { createControlActivities } from '../../activities/control/index.js';
import { accountKey, templateKey, vmKey, zoneKey } from '../../shared/search-attributes.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import type { FakeHost } from '../support/fake-host.js';
import { downloadForever, hang, refusal, tier } from '../support/host-answers.js';
import { resetWorkflow } from '../support/reset-workflow.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('deployVirtualMachine', () => {
  const { plane, scenario, join } = useControlPlane();
  let hosts: FakeHost[];

  beforeEach(async () => {
    hosts = await Promise.all([join('host-1'), join('host-2')]);
  });

  /** Nothing of any try is left on the hosts of this test. */
  const isClean = async () => {
    const { db } = plane;
    const hostIds = hosts.map(({ hostId }) => hostId);
    expect(await db.select().from(capacityClaim).where(inArray(capacityClaim.hostId, hostIds))).toEqual([]);
    expect(await db.select().from(cleanupDebt)).toEqual([]);
    expect(await db.select().from(stageWaiter)).toEqual([]);
    const used = await db
      .select({ cpu: host.cpuUsedMhz, ram: host.ramUsedBytes })
      .from(host)
      .where(inArray(host.id, hostIds));
    expect(used).toEqual(used.map(() => ({ cpu: 0, ram: 0 })));
    for (const fake of hosts) expect([fake.domains.size, fake.volumes.size]).toEqual([0, 0]);
  };

  const downloads = () => hosts.reduce((sum, fake) => sum + fake.timesAsked('downloadTier'), 0);

  const spoolRows = (of: FakeHost[]) =>
    plane.db
      .select()
      .from(templateSpoolRef)
      .where(
        inArray(
          templateSpoolRef.poolId,
          of.map(({ poolId }) => poolId),
        ),
      );

  it('runs the VM, and a second one on the same pool downloads nothing and stays small', async () => {
    const templateId = await scenario.template();
    const first = await scenario.deploy(templateId);
    expect(first.job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    const second = await scenario.deploy(templateId);
    const [vm, other] = [await scenario.vmRow(first.vmId), await scenario.vmRow(second.vmId)];
    expect(vm.state).toBe('Running');
    expect(other).toMatchObject({ state: 'Running', hostId: vm.hostId });
    expect(downloads()).toBe(1);

    const events = (await plane.client.workflow.getHandle(vmWorkflowId(second.vmId)).fetchHistory()).events ?? [];
    const activities = events.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
    const warm = ['claimHost', 'createRootVolume', 'startDomain', 'recordRunning'];
    expect(activities.filter((name) => name)).toEqual(warm);
    expect(events.length).toBeLessThanOrEqual(60);

    const { typedSearchAttributes } = await plane.client.workflow.getHandle(vmWorkflowId(second.vmId)).describe();
    const found = [accountKey, vmKey, zoneKey, templateKey].map((key) => typedSearchAttributes.get(key));
    expect(found).toEqual([other.accountId, other.id, other.dataCenterId, templateId]);

    await scenario.destroy(first.vmId, true);
    await scenario.destroy(second.vmId, true);
    await isClean();
  });

  it('undoes a failed host, excludes it and takes the next', async () => {
    hosts[0]!.override('startDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no such machine type')));
    hosts[1]!.override('createRootVolume', () => Promise.reject(refusal('SLIPWAY_POOL_IO', 'Input/output error')));
    const { vmId, job } = await scenario.deploy(await scenario.template());
    expect(job).toMatchObject({ jobStatus: JOB_STATUS.failed, jobResultCode: 530 });
    const { errortext, ownertext } = job.jobResult as { errortext: string; ownertext: string };
    // Each host's reason is known to the owner, but not in the host's words.
    expect(ownertext.split('. ').toSorted()).toEqual([
      'No host could do it',
      'Primary storage failed',
      'The hypervisor refused it',
    ]);
    expect(errortext).toContain('host-1: no such machine type');
    expect(errortext).toContain('host-2: Input/output error');
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Error', errorText: errortext });
    await isClean();
  });

  it('takes the next host when one fails for a reason that nobody knows', async () => {
    let sick: FakeHost | undefined;
    for (const fake of hosts) {
      fake.override('createRootVolume', ({ volumeId, token }) => {
        sick ??= fake;
        if (sick === fake) return Promise.reject(refusal('SLIPWAY_INTERNAL', 'unknown'));
        return Promise.resolve({ fileName: `${volumeId}.${token}`, virtualSizeBytes: 2000 });
      });
    }
    const { vmId, job } = await scenario.deploy(await scenario.template());
    expect(job).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect((await scenario.vmRow(vmId)).hostId).not.toBe(sick!.hostId);
    await scenario.destroy(vmId, true);
    await isClean();
  });

  it('claims once, although the control worker died before it could say so', async () => {
    const { vmId, job } = await scenario.vm(await scenario.template());
    const { claimHost } = createControlActivities(plane);
    const input = { vmId, jobId: job.id, excludedHostIds: [] };
    const claimed = await claimHost(input);
    if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
    // Sealing the same twice gives two texts.
    const domain = { ...claimed.deployment.domain, sealedGuest: expect.any(String) as string };
    expect(await claimHost(input)).toEqual({ ...claimed, deployment: { ...claimed.deployment, domain } });
    await scenario.start(job);
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    await scenario.destroy(vmId, true);
    await isClean();
  });

  it('ends well, and leaves nothing behind, when an operator resets its workflow', async () => {
    for (const fake of hosts) fake.override('startDomain', hang);
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('a domain is being started', async () => hosts.some((fake) => fake.timesAsked('startDomain') === 1));
    for (const fake of hosts) fake.override('startDomain', undefined);
    await resetWorkflow(plane.client, { workflowId: vmWorkflowId(vmId) });
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await plane.db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId))).toHaveLength(1);
    await scenario.destroy(vmId, true);
    await isClean();
  });

  it('removes nothing of a VM that lives on when the workflow that made it is reset', async () => {
    const { vmId, job } = await scenario.deploy(await scenario.template());
    await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
    const disk = () => plane.db.select().from(volumes).where(eq(volumes.instanceId, vmId));
    const before = await disk();
    const workflowId = vmWorkflowId(vmId);
    // The host is chosen, and everything after that is done again; of which the host refuses what is too late.
    await resetWorkflow(plane.client, { workflowId, runId: job.runId! }, 1);
    await plane.client.workflow.getHandle(workflowId).result();
    expect(await disk()).toEqual(before);
    expect(hosts.reduce((sum, fake) => sum + fake.volumes.size, 0)).toBe(1);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Stopped' });
    expect(await scenario.operate('startVirtualMachine', vmId)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    await scenario.destroy(vmId, true);
    await isClean();
  });

  it('moves on when a host is gone, which owes the cleanup and pays it when it is back', async () => {
    const [gone, other] = hosts as [FakeHost, FakeHost];
    // Both have the template already, so that the first host is gone only when it comes to the disk.
    for (const fake of hosts) fake.override('createRootVolume', () => Promise.reject(refusal('SLIPWAY_POOL_IO', 'x')));
    const templateId = await scenario.template();
    await scenario.deploy(templateId);
    const volume = { fileName: 'volume', virtualSizeBytes: 2000 };
    let victim: FakeHost | undefined;
    for (const fake of [gone, other]) {
      fake.override('createRootVolume', async () => {
        victim ??= fake;
        if (victim === fake) throw refusal('SLIPWAY_HOST_UNREACHABLE', 'The host fell silent');
        return volume;
      });
      fake.override('removeDeployment', async () => {
        if (victim === fake) throw refusal('SLIPWAY_HOST_UNREACHABLE', 'The host fell silent');
      });
    }
    const { vmId, job } = await scenario.deploy(templateId);
    expect(job.jobStatus).toBe(JOB_STATUS.succeeded);
    const survivor = hosts.find((fake) => fake !== victim)!;
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Running', hostId: survivor.hostId });
    expect(await plane.db.select().from(cleanupDebt)).toMatchObject([{ vmId, hostId: victim!.hostId }]);
    // One claim for the running VM, one that the debtor still holds.
    const claims = () => plane.db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId));
    expect(await claims()).toHaveLength(2);

    await victim!.stop();
    victim!.override('removeDeployment', () => Promise.resolve());
    await victim!.start();
    await waitFor('the debt is paid', async () => (await plane.db.select().from(cleanupDebt)).length === 0);
    expect(await claims()).toMatchObject([{ vmId, hostId: survivor.hostId }]);
  });

  it('tries the checksum three times on each host, and names both digests and every host', async () => {
    const mismatch = 'Checksum validation failed: expected {MD5}00, actual {MD5}11';
    for (const fake of hosts) {
      fake.override('verifyChecksum', () => Promise.reject(refusal('SLIPWAY_CHECKSUM_MISMATCH', mismatch)));
    }
    const { job } = await scenario.deploy(await scenario.template({ checksum: '0'.repeat(32) }));
    expect(hosts.map((fake) => fake.timesAsked('downloadTier'))).toEqual([3, 3]);
    expect((job.jobResult as { ownertext: string }).ownertext).toBe(
      'No host could do it. The image does not match its checksum',
    );
    expect((job.jobResult as { errortext: string }).errortext).toContain(`host-1: ${mismatch}`);
    expect((job.jobResult as { errortext: string }).errortext).toContain(`host-2: ${mismatch}`);
    expect(hosts.map((fake) => fake.copies.size)).toEqual([0, 0]);
    expect(await spoolRows(hosts)).toEqual([]);
    await isClean();
  });

  it('begins the next checksum attempt with mirrors that have not delivered wrong bytes', async () => {
    const [bad, good] = ['http://bad.example/disk', 'http://good.example/disk'];
    const order: string[] = [];
    for (const fake of hosts) {
      fake.override('readSources', () =>
        Promise.resolve({
          isMetalink: true,
          hasPieces: false,
          digests: [{ algorithm: 'MD5' as const, value: '0'.repeat(32) }],
          dropped: [],
          tiers: [tier(bad, 1), tier(good, 2)],
        }),
      );
      fake.override('downloadTier', ({ tier: { mirrors } }) => {
        order.push(mirrors[0]!);
        return Promise.resolve({
          sizeBytes: 1,
          resumedFromBytes: 0,
          digests: [],
          mirrors: [{ url: mirrors[0]!, outcome: 'used' as const, bytes: 1 }],
        });
      });
      fake.override('verifyChecksum', () =>
        order.at(-1) === bad ? Promise.reject(refusal('SLIPWAY_CHECKSUM_MISMATCH', 'mismatch')) : Promise.resolve(),
      );
    }
    const { job } = await scenario.deploy(await scenario.template());
    expect(job.jobStatus).toBe(JOB_STATUS.succeeded);
    expect(order).toEqual([bad, good]);
  });

  it('after a wrong hash of joined bytes asks mirrors one by one, the guilty one last', async () => {
    const mirrors = ['http://bad.example/disk', 'http://good.example/disk'];
    const asked: { isOneAtATime: boolean; avoid: string[] }[] = [];
    for (const fake of hosts) {
      fake.override('readSources', () =>
        Promise.resolve({
          isMetalink: true,
          hasPieces: false,
          digests: [{ algorithm: 'MD5' as const, value: '0'.repeat(32) }],
          dropped: [],
          tiers: [{ priority: 1, mirrors, sealed: '' }],
        }),
      );
      fake.override('downloadTier', ({ isOneAtATime, avoid }) => {
        asked.push({ isOneAtATime, avoid });
        const used = isOneAtATime ? mirrors.filter((url) => !avoid.includes(url)).slice(0, 1) : mirrors;
        return Promise.resolve({
          sizeBytes: 1,
          resumedFromBytes: 0,
          digests: [],
          mirrors: used.map((url) => ({ url, outcome: 'used' as const, bytes: 1 })),
        });
      });
      fake.override('verifyChecksum', () =>
        asked.length < 3 ? Promise.reject(refusal('SLIPWAY_CHECKSUM_MISMATCH', 'mismatch')) : Promise.resolve(),
      );
    }
    const { job } = await scenario.deploy(await scenario.template());
    expect(job.jobStatus).toBe(JOB_STATUS.succeeded);
    expect(asked).toEqual([
      { isOneAtATime: false, avoid: [] },
      { isOneAtATime: true, avoid: [] },
      { isOneAtATime: true, avoid: [mirrors[0]] },
    ]);
  });

  it('blames a mirror, and not the image, when what it sent cannot be unpacked and has a wrong hash', async () => {
    let tries = 0;
    for (const fake of hosts) {
      fake.override('downloadTier', () => {
        tries += 1;
        const unpackFailure = { code: 'SLIPWAY_UNPACK_CORRUPT' as const, message: 'crc error' };
        return Promise.resolve({
          sizeBytes: 1,
          resumedFromBytes: 0,
          digests: [],
          mirrors: [],
          ...(tries === 1 ? { unpackFailure } : {}),
        });
      });
      fake.override('verifyChecksum', () =>
        tries === 1 ? Promise.reject(refusal('SLIPWAY_CHECKSUM_MISMATCH', 'mismatch')) : Promise.resolve(),
      );
    }
    const { job } = await scenario.deploy(await scenario.template({ checksum: '0'.repeat(32) }));
    expect(job.jobStatus).toBe(JOB_STATUS.succeeded);
    expect(tries).toBe(2);
  });

  it('fails over to the next tier when no mirror of a tier answers', async () => {
    const reports = [{ url: 'http://a.example/', outcome: 'failed', bytes: 0, reason: 'refused the connection' }];
    for (const fake of hosts) {
      fake.override('readSources', () =>
        Promise.resolve({
          isMetalink: true,
          hasPieces: false,
          digests: [],
          dropped: [],
          tiers: [tier('http://a.example/', 1), tier('http://b.example/', 2)],
        }),
      );
      fake.override('downloadTier', ({ tier: { mirrors } }) =>
        mirrors[0] === 'http://a.example/'
          ? Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', 'none', reports))
          : Promise.resolve({ sizeBytes: 1, resumedFromBytes: 0, digests: [], mirrors: [] }),
      );
    }
    expect((await scenario.deploy(await scenario.template())).job.jobStatus).toBe(JOB_STATUS.succeeded);
  });

  it('asks no other host when the right bytes are no usable image', async () => {
    for (const fake of hosts) {
      fake.override('installTemplate', () => Promise.reject(refusal('SLIPWAY_IMAGE_REFUSED', 'it has a backing file')));
    }
    const { job } = await scenario.deploy(await scenario.template({ checksum: '0'.repeat(32) }));
    expect(job.jobResult).toMatchObject({ slipwaycode: 'SLIPWAY_IMAGE_UNUSABLE' });
    expect(downloads()).toBe(1);
    await isClean();
  });

  it('downloads once for ten deployments on one pool', async () => {
    await hosts[1]!.stop();
    await hosts[1]!.isStatus('Down');
    hosts[0]!.override('downloadTier', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return { sizeBytes: 1, resumedFromBytes: 0, digests: [], mirrors: [] };
    });
    const templateId = await scenario.template();
    const deployments = await Promise.all(Array.from({ length: 10 }, () => scenario.deploy(templateId)));
    expect(deployments.map(({ job }) => job.jobStatus)).toEqual(deployments.map(() => JOB_STATUS.succeeded));
    expect(hosts[0]!.timesAsked('downloadTier')).toBe(1);
    expect(await plane.db.select().from(stageWaiter)).toEqual([]);
  });

  it('stops the download and leaves nothing when it is cancelled', async () => {
    let isCancelled = false;
    for (const fake of hosts) {
      fake.override('downloadTier', async () => {
        const { cancelled, heartbeat } = Context.current();
        const beat = setInterval(() => heartbeat(), 100);
        try {
          return await cancelled;
        } finally {
          isCancelled = true;
          clearInterval(beat);
        }
      });
    }
    const { vmId, job } = await scenario.vm(await scenario.template());
    await scenario.start(job);
    await waitFor('a host downloads', async () => hosts.some((fake) => fake.timesAsked('downloadTier') === 1));
    await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
    expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.cancelled });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Error' });
    await waitFor('the download has stopped', async () => isCancelled);
    await waitFor('the copy is forgotten', async () => (await spoolRows(hosts)).length === 0);
    await isClean();
  });

  it('ends at its deadline and names the step it was in', async () => {
    for (const fake of hosts) {
      fake.override('createRootVolume', hang);
    }
    const { job } = await scenario.deploy(await scenario.template(), { deadlineMs: 4000 });
    expect(job.jobResult).toMatchObject({
      slipwaycode: 'SLIPWAY_DEADLINE',
      errortext: expect.stringContaining('creating the root disk') as string,
    });
    await isClean();
  });

  it('ends at its deadline when the database refuses again and again to note that it waits', async () => {
    await plane.db.execute(`
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$;
      create trigger refused before insert on stage_waiter execute function refuse()`);
    try {
      const { job } = await scenario.deploy(await scenario.template(), { deadlineMs: 3000 });
      expect(job.jobResult).toMatchObject({
        slipwaycode: 'SLIPWAY_DEADLINE',
        errortext: 'The deployment took longer than 3 s and was ended while staging the template',
      });
    } finally {
      await plane.db.execute('drop function refuse cascade');
    }
    await isClean();
  });

  it('blames its deadline, and not a host, for what the deadline ended', async () => {
    for (const fake of hosts) {
      fake.override('startDomain', hang);
      // Somebody loses patience when it is too late.
      fake.override('removeDeployment', async (placement) => {
        await plane.client.workflow.getHandle(vmWorkflowId(placement.vmId)).cancel();
        throw refusal('SLIPWAY_HYPERVISOR', 'libvirt is away');
      });
    }
    const { vmId, job } = await scenario.deploy(await scenario.template(), { deadlineMs: 2000 });
    const text = 'The deployment took longer than 2 s and was ended while starting the domain';
    expect(job.jobResult).toMatchObject({ errortext: text });
    const debts = await plane.db.select().from(cleanupDebt).where(eq(cleanupDebt.vmId, vmId));
    expect(debts).toMatchObject([{ reason: text }]);
    for (const fake of hosts) fake.override('removeDeployment', undefined);
    await scenario.destroy(vmId, true);
    await isClean();
  });

  it('waits no longer than its deadline lets it: for a host, and for the template', async () => {
    const timersOf = async (vmId: string) => {
      const { events } = await plane.client.workflow.getHandle(vmWorkflowId(vmId)).fetchHistory();
      const [begun] = events!;
      return events!.flatMap(({ eventTime, timerStartedEventAttributes: timer }) =>
        timer ? [tsToMs(eventTime) - tsToMs(begun!.eventTime) + tsToMs(timer.startToFireTimeout)] : [],
      );
    };
    for (const fake of hosts) fake.override('downloadTier', downloadForever);
    const templateId = await scenario.template();
    const { vmId, job } = await scenario.vm(templateId, { deadlineMs: 3000 });
    // Held, the copy cannot be begun, and joining it takes some of the time.
    await plane.db.transaction(async (tx) => {
      await tx.select().from(vmTemplate).where(eq(vmTemplate.id, templateId)).for('update');
      await scenario.start(job);
      await sleep(2000);
    });
    expect((await scenario.ended(job)).jobResult).toMatchObject({
      errortext: expect.stringContaining('ended while staging the template') as string,
    });
    const waits = await timersOf(vmId);
    expect(waits.length).toBeGreaterThan(0);
    for (const untilMs of waits) expect(untilMs).toBeLessThan(4000);

    await plane.db.update(host).set({ status: 'Down', lastPinged: new Date().toISOString() });
    const unplaced = await scenario.deploy(templateId, { deadlineMs: 1000 });
    expect(unplaced.job.jobResult).toMatchObject({
      errortext: expect.stringContaining('ended while choosing a host') as string,
    });
    const looks = await timersOf(unplaced.vmId);
    expect(looks.length).toBeGreaterThan(0);
    for (const untilMs of looks) expect(untilMs).toBeLessThan(2000);
  });

  it('has no secret of the URL in any history', async () => {
    const { vmId } = await scenario.deploy(await scenario.template());
    const histories: string[] = [];
    for await (const { workflowId, runId } of plane.client.workflow.list()) {
      histories.push(JSON.stringify(await plane.client.workflow.getHandle(workflowId, runId).fetchHistory()));
    }
    expect(histories.length).toBeGreaterThanOrEqual(4);
    const decoded = histories.map((history) =>
      history.replace(/"([A-Za-z0-9+/]{8,}={0,2})"/g, (_, base64: string) => Buffer.from(base64, 'base64').toString()),
    );
    expect(decoded.join()).toContain('images.example/disk.qcow2');
    expect(decoded.filter((text) => text.includes('secret'))).toEqual([]);
    const [volume] = await plane.db.select().from(volumes).where(eq(volumes.instanceId, vmId));
    expect(volume?.templateSpoolRefId).not.toBeNull();
  });
});
