import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { JOB_STATUS, stageWaiter, storagePool, storagePoolHostRef, templateSpoolRef } from '../../db/schema/index.js';
import type { DownloadTierInput } from '../../activities/host/download-tier.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
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
});
