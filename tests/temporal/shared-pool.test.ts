import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { createJob, type JobRow } from '../../db/jobs.js';
import {
  account,
  event,
  JOB_STATUS,
  stageWaiter,
  storagePool,
  storagePoolHostRef,
  storagePoolWork,
  templateSpoolRef,
  user,
} from '../../db/schema/index.js';
import type { DownloadTierInput } from '../../activities/host/download-tier.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import { poolStateWorkflowId } from '../../shared/workflow-ids.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { downloadForever, refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('a pool that two hosts share', () => {
  const { plane, scenario, join } = useControlPlane({ settings: { 'host.reconnect.grace': '1' } });
  let poolId: string;
  let hosts: [FakeHost, FakeHost];

  beforeEach(async () => {
    poolId = randomUUID();
    hosts = [await join('host-1', { poolId }), await join('host-2', { poolId })];
  });

  const copies = () => plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.poolId, poolId));
  const waiters = async () => (await plane.db.select().from(stageWaiter)).length;
  const inputs = (fake: FakeHost) =>
    fake.calls.filter(({ activity }) => activity === 'downloadTier').map(({ input }) => input as DownloadTierInput);
  const downloads = () => hosts.flatMap(inputs);

  /** Both hosts download for ever; answers who has begun. */
  async function beginDownload(templateId: string) {
    for (const fake of hosts) fake.override('downloadTier', downloadForever);
    const { vmId, job } = await scenario.vm(templateId);
    await scenario.start(job);
    await waitFor('a host downloads', async () => downloads().length === 1);
    for (const fake of hosts) fake.override('downloadTier', undefined);
    const [at, other] = inputs(hosts[0]).length === 1 ? hosts : [hosts[1], hosts[0]];
    return { vmId, job, at, other, copy: downloads()[0]!.copy };
  }

  it('is one pool of the cluster, and each host has it', async () => {
    const pools = await plane.db.select().from(storagePool).where(eq(storagePool.id, poolId));
    expect(pools).toMatchObject([
      { poolType: 'NetworkFilesystem', scope: 'CLUSTER', clusterId: plane.seeded.clusterId },
    ]);
    const refs = await plane.db.select().from(storagePoolHostRef).where(eq(storagePoolHostRef.poolId, poolId));
    expect(new Set(refs.map(({ hostId }) => hostId))).toEqual(new Set(hosts.map(({ hostId }) => hostId)));
  });

  it('gets a template once, for deployments on both hosts', async () => {
    const { opened: finished, open: finish } = gate();
    for (const fake of hosts) {
      fake.override('downloadTier', async () => {
        await finished;
        return { sizeBytes: 1000, resumedFromBytes: 0, digests: [], mirrors: [] };
      });
    }
    const templateId = await scenario.template();
    const vms = [await scenario.vm(templateId), await scenario.vm(templateId)];
    for (const [index, { job }] of vms.entries()) {
      // One after the other: the second goes to the host that has more memory left.
      await scenario.start(job);
      await waitFor('it waits for the template', async () => (await waiters()) === index + 1);
    }
    finish();
    for (const { job } of vms) expect(await scenario.ended(job)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    const rows = await Promise.all(vms.map(({ vmId }) => scenario.vmRow(vmId)));
    expect(new Set(rows.map(({ hostId }) => hostId)).size).toBe(2);
    expect(downloads()).toHaveLength(1);
    expect(await copies()).toHaveLength(1);
  });

  it('goes on at the other host when the first dies, in files of its own that take over what is there', async () => {
    const templateId = await scenario.template();
    const { vmId, job, at, other, copy } = await beginDownload(templateId);
    await at.stop();
    // Well below the deadline: silence, the grace, and the time in which a host should take short work.
    expect(await scenario.ended(job, 120_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect((await scenario.vmRow(vmId)).hostId).toBe(other.hostId);
    const [resumed] = inputs(other);
    expect(inputs(other)).toHaveLength(1);
    expect(resumed!.resumeFrom).toEqual(copy);
    expect(await copies()).toMatchObject([{ takenOverEpoch: copy.epoch }]);
    expect(resumed!.copy.epoch).toBeGreaterThan(copy.epoch);
    expect(await copies()).toMatchObject([{ state: 'Ready', epoch: resumed!.copy.epoch, hostId: other.hostId }]);
    await at.start();
    await at.isStatus('Up');
  });

  it('keeps a download of one host from the sweep of the other, and loses what no stage works on', async () => {
    const { job, at, other, copy } = await beginDownload(await scenario.template());
    const dead: TemplateCopyRef[] = [
      { ...copy, epoch: copy.epoch - 1 },
      { ...copy, generation: 2 },
      { ...copy, templateId: randomUUID() },
    ];
    // Another host is about to take over what this one has, and waits for a slot.
    const takenOver = { ...copy, epoch: copy.epoch - 2 };
    await plane.db
      .update(templateSpoolRef)
      .set({ takenOverEpoch: takenOver.epoch })
      .where(eq(templateSpoolRef.templateId, copy.templateId));
    other.partials = [copy, takenOver, ...dead];
    const sweeps = other.timesAsked('sweepPartials');
    await other.stop();
    await other.start();
    await waitFor('it has swept', async () => other.timesAsked('sweepPartials') > sweeps);
    const { input } = other.calls.findLast(({ activity }) => activity === 'sweepPartials')!;
    expect(input).toEqual({ deadPartials: [{ poolId, copies: dead }] });
    await plane.client.workflow.getHandle(job.workflowId).cancel();
    await scenario.ended(job);
    await at.isStatus('Up');
  });

  it('blames no host that has not worked for the template', async () => {
    for (const fake of hosts) {
      const text = `tried on ${fake.name}`;
      fake.override('readSources', () => Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', text)));
    }
    const { job } = await scenario.deploy(await scenario.template());
    const { errortext } = job.jobResult as { errortext: string };
    for (const { name } of hosts) expect(errortext).toContain(`${name}: tried on ${name}`);
    expect(await copies()).toEqual([]);
  });

  it('is not taken for another one: a host that has it as its own is not Up', async () => {
    const stranger = await join('host-3');
    stranger.pool = { poolId, type: 'Filesystem', path: '/pool' };
    await stranger.stop();
    await stranger.start();
    await stranger.isStatus('Alert');
  });

  describe('in maintenance', () => {
    const SUCCEEDED = { jobStatus: JOB_STATUS.succeeded };
    const FAILED = { jobStatus: JOB_STATUS.failed };
    const says = (text: string) => ({ errortext: expect.stringContaining(text) as string });
    const status = async () => (await plane.db.select().from(storagePool).where(eq(storagePool.id, poolId)))[0]!.status;
    const state = async (vmId: string) => (await scenario.vmRow(vmId)).state;

    async function begin(jobCmd: 'enableStorageMaintenance' | 'cancelStorageMaintenance'): Promise<JobRow> {
      const [admin] = await plane.db.select().from(user).limit(1);
      const id = randomUUID();
      const job = await createJob(plane.db, {
        id,
        accountId: admin!.accountId,
        userId: admin!.id,
        jobCmd,
        workflowType: jobCmd,
        workflowId: poolStateWorkflowId(poolId),
        workflowInput: { poolId, jobId: id },
        instanceType: 'StoragePool',
        instanceId: poolId,
      });
      await scenario.start(job);
      return job;
    }
    const work = async (jobCmd: Parameters<typeof begin>[0]) => scenario.ended(await begin(jobCmd));

    it('has nothing running from it and takes nothing, and has afterwards running what it had before', async () => {
      const templateId = await scenario.template();
      const [deaf, ready, stopped, doomed] = [
        (await scenario.deploy(templateId)).vmId,
        (await scenario.deploy(templateId)).vmId,
        (await scenario.deploy(templateId)).vmId,
        (await scenario.deploy(templateId)).vmId,
      ];
      for (const vmId of [stopped, doomed]) await scenario.operate('stopVirtualMachine', vmId, { isForced: true });
      for (const fake of hosts) {
        fake.override('stopDomain', ({ vmId, isForced }) =>
          vmId === deaf && !isForced
            ? Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'the guest does not listen'))
            : Promise.resolve(void fake.domains.delete(vmId)),
        );
      }
      expect(await work('enableStorageMaintenance')).toMatchObject({ ...SUCCEEDED, jobResult: {} });
      expect(await status()).toBe('Maintenance');
      expect(hosts.map(({ domains }) => domains.size)).toEqual([0, 0]);
      for (const vmId of [deaf, ready, stopped]) expect(await state(vmId)).toBe('Stopped');

      const expunging = await scenario.begin('destroyVirtualMachine', doomed, { expunge: true });
      const closed = says('is in state Maintenance');
      expect((await scenario.deploy(templateId)).job).toMatchObject({ ...FAILED, jobResult: closed });
      expect(await scenario.operate('startVirtualMachine', ready)).toMatchObject({ ...FAILED, jobResult: closed });
      expect(await scenario.operate('restoreVirtualMachine', ready, { isToRun: false })).toMatchObject({
        ...FAILED,
        jobResult: says('The pool of the root disk is Maintenance'),
      });
      const isoId = await scenario.template({ format: 'ISO' });
      expect(await scenario.operate('attachIso', ready, { isoId })).toMatchObject({
        ...FAILED,
        jobResult: says('The pool is in maintenance, and takes no template'),
      });

      expect([await state(doomed), hosts.map((fake) => fake.timesAsked('removeDeployment'))]).toEqual([
        'Stopped',
        [0, 0],
      ]);
      for (const fake of hosts) fake.override('stopDomain', undefined);
      expect(await work('cancelStorageMaintenance')).toMatchObject({
        ...SUCCEEDED,
        jobResult: { virtualmachines: [] },
      });
      expect([await status(), await state(deaf), await state(ready), await state(stopped)]).toEqual([
        'Up',
        'Running',
        'Running',
        'Stopped',
      ]);
      expect(await scenario.ended(expunging)).toMatchObject(SUCCEEDED);
      expect(await state(doomed)).toBe('Expunged');
      expect(await plane.db.$count(storagePoolWork)).toBe(0);
      const name = `shared-${poolId}`;
      const rows = await plane.db.select().from(event).where(eq(event.resourceId, poolId)).orderBy(event.created);
      expect(rows.map(({ type, description }) => `${type} ${description}`)).toEqual([
        `MAINT.PREPARE.PS Pool ${name} takes no new disks and templates, and what runs from it is stopped`,
        `MAINT.PREPARE.PS Pool ${name} is in maintenance: nothing runs from it, and nothing is written to it`,
        `MAINT.CANCEL.PS Pool ${name} takes disks and templates again, and what was stopped is started`,
      ]);
    });

    it('waits for what is under way there, and begins nothing meanwhile', async () => {
      const { job } = await beginDownload(await scenario.template());
      const enabling = await begin('enableStorageMaintenance');
      await waitFor('it is prepared', async () => (await status()) === 'PrepareForMaintenance');
      expect((await scenario.deploy(await scenario.template())).job.jobResult).toMatchObject(
        says('is in state PrepareForMaintenance'),
      );
      await plane.client.workflow.getHandle(job.workflowId).cancel();
      expect(await scenario.ended(enabling)).toMatchObject(SUCCEEDED);
      expect([await status(), (await copies()).length]).toEqual(['Maintenance', 0]);
    });

    it('is not reached while something cannot be stopped, which is named, and can be given up', async () => {
      const { vmId } = await scenario.deploy(await scenario.template());
      const { name } = await scenario.vmRow(vmId);
      for (const fake of hosts) {
        fake.override('stopDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is busy')));
        fake.override('isDomainAlive', () => Promise.resolve(true));
      }
      expect(await work('enableStorageMaintenance')).toMatchObject({
        ...FAILED,
        jobResult: says(`could not be stopped: ${name}`),
      });
      expect(await status()).toBe('ErrorInMaintenance');
      for (const fake of hosts) fake.override('stopDomain', undefined);
      expect(await work('cancelStorageMaintenance')).toMatchObject(SUCCEEDED);
      expect(await status()).toBe('Up');
      expect(await scenario.deploy(await scenario.template())).toMatchObject({ job: SUCCEEDED });
    });

    it('leaves stopped, and names, what is of an account that was disabled meanwhile', async () => {
      const { vmId } = await scenario.deploy(await scenario.template());
      expect(await work('enableStorageMaintenance')).toMatchObject(SUCCEEDED);
      const { accountId } = await scenario.vmRow(vmId);
      const set = (accountState: 'disabled' | 'enabled') =>
        plane.db.update(account).set({ state: accountState }).where(eq(account.id, accountId));
      await set('disabled');
      expect(await work('cancelStorageMaintenance')).toMatchObject({
        ...SUCCEEDED,
        jobResult: { virtualmachines: [{ id: vmId, state: 'Stopped' }] },
      });
      expect(hosts.map(({ domains }) => domains.size)).toEqual([0, 0]);
      await set('enabled');
    });

    it('names what does not start again', async () => {
      const { vmId } = await scenario.deploy(await scenario.template());
      expect(await work('enableStorageMaintenance')).toMatchObject(SUCCEEDED);
      for (const fake of hosts) {
        fake.override('startDomain', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'no such machine type')));
      }
      expect(await work('cancelStorageMaintenance')).toMatchObject({
        ...SUCCEEDED,
        jobResult: { virtualmachines: [{ id: vmId, state: 'Stopped' }] },
      });
      expect(await status()).toBe('Up');
    });
  });
});
