import { eq } from 'drizzle-orm';
import { JOB_STATUS, stageWaiter, templateSpoolRef, vmTemplate, volumes } from '../../db/schema/index.js';
import { templateFileName } from '../../kvm/storage/file-names.js';
import type { TemplateCopyRef } from '../../shared/templates.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { refusal } from '../support/host-answers.js';
import { SUCCEEDED } from '../support/job-ends.js';
import { resetWorkflow } from '../support/reset-workflow.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('templates that are refreshed', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;
  beforeEach(async () => {
    fake = await join('host-1');
  });
  const templateOf = async (id: string) => (await plane.db.select().from(vmTemplate).where(eq(vmTemplate.id, id)))[0]!;
  const copiesOf = (templateId: string) =>
    plane.db
      .select()
      .from(templateSpoolRef)
      .where(eq(templateSpoolRef.templateId, templateId))
      .orderBy(templateSpoolRef.generation);
  const begin = (templateId: string, input: { checksum?: string | null } = {}) =>
    scenario.beginTemplateJob('refreshTemplate', templateId, input);
  const refresh = async (...call: Parameters<typeof begin>) => scenario.ended(await begin(...call));
  const downloads = () =>
    fake.calls
      .filter(({ activity }) => activity === 'downloadTier')
      .map(({ input }) => (input as { copy: TemplateCopyRef }).copy.generation);
  const generationUnder = async (vmId: string) => {
    const [row] = await plane.db
      .select({ generation: templateSpoolRef.generation })
      .from(volumes)
      .innerJoin(templateSpoolRef, eq(templateSpoolRef.id, volumes.templateSpoolRefId))
      .where(eq(volumes.instanceId, vmId));
    return row?.generation;
  };

  /** A deployment whose download of generation 1 is on its way, and the template refreshed meanwhile. */
  async function refreshDuringDownload(downloaded: (generation: number) => Promise<void>) {
    const templateId = await scenario.template();
    fake.override('downloadTier', async ({ copy, tier }) => {
      fake.copies.add(templateFileName(copy));
      await downloaded(copy.generation);
      const mirrors = tier.mirrors.map((url) => ({ url, outcome: 'used' as const, bytes: 1000 }));
      return { sizeBytes: 1000, resumedFromBytes: 0, digests: [], mirrors };
    });
    const early = await scenario.vm(templateId);
    await scenario.start(early.job);
    await waitFor('generation 1 is on its way', async () => downloads().length === 1);
    expect(await refresh(templateId)).toMatchObject(SUCCEEDED);
    return { templateId, early };
  }

  it('are refreshed although the workflow is reset while the URL is read', async () => {
    const templateId = await scenario.template();
    const { opened, open } = gate();
    fake.override('probeUrl', async () => {
      await opened;
      return { sizeBytes: 3000, isMetalink: false, mirrors: [] };
    });
    const job = await begin(templateId);
    await waitFor('the URL is being read', async () => fake.timesAsked('probeUrl') === 1);
    await resetWorkflow(plane.client, { workflowId: job.workflowId });
    const run = plane.client.workflow.getHandle(job.workflowId);
    // Temporal lets the child of the former run go on.
    await waitFor('it wants to read it again', async () => {
      const { events } = await run.fetchHistory();
      return (events ?? []).some((event) => event.startChildWorkflowExecutionFailedEventAttributes);
    });
    open();
    expect(await scenario.ended(job)).toMatchObject(SUCCEEDED);
    expect(await templateOf(templateId)).toMatchObject({ generation: 2, sizeBytes: 3000 });
  });

  it('stay as they are when what reads the URL is terminated, and the job says so', async () => {
    const templateId = await scenario.template();
    const { opened, open } = gate();
    fake.override('probeUrl', async () => {
      await opened;
      return { sizeBytes: 3000, isMetalink: false, mirrors: [] };
    });
    const job = await begin(templateId);
    await waitFor('the URL is being read', async () => fake.timesAsked('probeUrl') === 1);
    await plane.client.workflow.getHandle(`${job.workflowId}-validate-url`).terminate('a test');
    expect(await scenario.ended(job)).toMatchObject({ jobResult: { slipwaycode: 'SLIPWAY_WORKFLOW_LOST' } });
    open();
    expect(await templateOf(templateId)).toMatchObject({ generation: 1 });
  });

  it('come again, beside the copy that disks stand on, which goes with the last of them', async () => {
    const templateId = await scenario.template({ checksum: `{MD5}${'a'.repeat(32)}` });
    const { vmId: oldVm } = await scenario.deploy(templateId);
    const checksum = `{MD5}${'b'.repeat(32)}`;
    fake.override('probeUrl', () =>
      Promise.resolve({ isMetalink: false, hasPieces: false, sizeBytes: 1500, virtualSizeBytes: 3000, mirrors: [] }),
    );
    expect(await refresh(templateId, { checksum })).toMatchObject(SUCCEEDED);
    expect(await templateOf(templateId)).toMatchObject({ generation: 2, sizeBytes: 3000, checksum });
    expect(await copiesOf(templateId)).toMatchObject([{ generation: 1, state: 'Ready' }]);

    const { vmId: newVm } = await scenario.deploy(templateId);
    expect(downloads()).toEqual([1, 2]);
    expect([await generationUnder(oldVm), await generationUnder(newVm)]).toEqual([1, 2]);
    expect(await copiesOf(templateId)).toMatchObject([
      { generation: 1, state: 'Superseded' },
      { generation: 2, state: 'Ready' },
    ]);
    const verified = fake.calls.filter(({ activity }) => activity === 'verifyChecksum').map(({ input }) => input);
    expect(verified).toMatchObject([
      { expected: [{ value: 'a'.repeat(32) }] },
      { expected: [{ value: 'b'.repeat(32) }] },
    ]);

    await evictUnusedCopies(plane);
    await scenario.operate('stopVirtualMachine', oldVm, { isForced: true });
    await scenario.operate('startVirtualMachine', oldVm);
    expect(await scenario.vmRow(oldVm)).toMatchObject({ state: 'Running' });
    await scenario.destroy(oldVm, true);
    await evictUnusedCopies(plane);
    await waitFor('the old copy is gone', async () => (await copiesOf(templateId)).length === 1);
    expect([...fake.copies]).toEqual([templateFileName((await copiesOf(templateId))[0]!)]);
  });

  it('leave pools where nothing stands on them at once', async () => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    await scenario.destroy(vmId, true);
    await refresh(templateId);
    await evictUnusedCopies(plane);
    await waitFor('the old copy is gone', async () => (await copiesOf(templateId)).length === 0);
  });

  it('stay as they are when no host can read the URL', async () => {
    fake.override('probeUrl', () => Promise.reject(refusal('SLIPWAY_SOURCES_EXHAUSTED', '404')));
    const templateId = await scenario.template({ checksum: `{MD5}${'a'.repeat(32)}` });
    expect(await refresh(templateId, { checksum: null })).toMatchObject({
      jobStatus: JOB_STATUS.failed,
      jobResult: { slipwaycode: 'SLIPWAY_URL_VALIDATION', errortext: expect.stringContaining('404') as string },
    });
    expect(await templateOf(templateId)).toMatchObject({ generation: 1, checksum: `{MD5}${'a'.repeat(32)}` });
  });

  it('give who waits for the old one the old one, and who comes later the new one, which is not waited for', async () => {
    const { opened, open } = gate();
    const { templateId, early } = await refreshDuringDownload((generation) =>
      generation === 1 ? opened : Promise.resolve(),
    );
    const late = await scenario.deploy(templateId);
    expect(late.job).toMatchObject(SUCCEEDED);
    expect(await copiesOf(templateId)).toMatchObject([
      { generation: 1, state: 'Downloading' },
      { generation: 2, state: 'Ready' },
    ]);
    open();
    expect(await scenario.ended(early.job)).toMatchObject(SUCCEEDED);
    expect(await copiesOf(templateId)).toMatchObject([
      { generation: 1, state: 'Superseded' },
      { generation: 2, state: 'Ready' },
    ]);
    expect([await generationUnder(early.vmId), await generationUnder(late.vmId)]).toEqual([1, 2]);
  });

  it('give who waited for the old one in vain the new one', async () => {
    const { opened, open } = gate();
    const { templateId, early } = await refreshDuringDownload(async (generation) => {
      if (generation === 2) return;
      await opened;
      throw refusal('SLIPWAY_CHECKSUM_MISMATCH', 'the file has changed');
    });
    open();
    expect(await scenario.ended(early.job, 60_000)).toMatchObject(SUCCEEDED);
    expect(await generationUnder(early.vmId)).toBe(2);
    expect(await copiesOf(templateId)).toMatchObject([{ generation: 2, state: 'Ready' }]);
    expect(await plane.db.select().from(stageWaiter)).toEqual([]);
  });
});
