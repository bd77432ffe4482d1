import { eq } from 'drizzle-orm';
import { beginEviction } from '../../activities/control/template/evict.js';
import { listUnusedCopies } from '../../activities/control/template/unused-copies.js';
import { cleanupDebt, event, stageWaiter, templateSpoolRef } from '../../db/schema/index.js';
import type { DomainSpec } from '../../shared/virtual-machines.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import type { FakeHost } from '../support/fake-host.js';
import { hang, refusal } from '../support/host-answers.js';
import { CANCELLED, failed, SUCCEEDED } from '../support/job-ends.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

const EMPTY = { isoId: null, isoSpoolRefId: null };
const DISK_BYTES = 5 * 1024 ** 3;

const { plane, scenario, join } = useControlPlane({ settings: { 'host.reconnect.grace': '2' } });
let fake: FakeHost;

beforeEach(async () => {
  fake = await join('host-1');
});

const running = async (): Promise<string> => (await scenario.deploy(await scenario.template())).vmId;
const addIso = () => scenario.template({ format: 'ISO' });
const attach = (vmId: string, isoId: string) => scenario.operate('attachIso', vmId, { isoId });
const detach = (vmId: string) => scenario.operate('detachIso', vmId);
const copiesOf = (templateId: string) =>
  plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
const unused = async () => (await listUnusedCopies(plane.db, fake.poolId)).map(({ templateId }) => templateId);
const lastSpec = (): DomainSpec => {
  const call = fake.calls.findLast(({ activity }) => activity === 'startDomain');
  return (call!.input as { spec: DomainSpec }).spec;
};
const broken = () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'the tray is stuck'));
const silent = () => Promise.reject(refusal('SLIPWAY_HOST_UNREACHABLE', 'The host worker fell silent'));

describe('an ISO', () => {
  it('is brought to the pool once, is in the drive of a VM that runs, and neither evicted nor deleted until it is detached', async () => {
    const vmId = await running();
    const isoId = await addIso();
    expect(await attach(vmId, isoId)).toMatchObject(SUCCEEDED);
    const { isoSpoolRefId, isoId: attached } = await scenario.vmRow(vmId);
    expect([attached, isoSpoolRefId]).toEqual([isoId, expect.any(String)]);
    expect(fake.discs.get(vmId)).toMatch(new RegExp(`^${isoId}\\.g1\\.e`));
    expect(await unused()).toEqual([]);
    expect(await beginEviction(plane, isoSpoolRefId!)).toBe(false);
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

    await detach(vmId);
    expect(await scenario.deleteTemplate(isoId)).toMatchObject(SUCCEEDED);
    await evictUnusedCopies(plane);
    await waitFor('its copy is gone', async () => (await copiesOf(isoId)).length === 0);
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
    const stuck = async () => {
      const vmId = await running();
      const isoId = await addIso();
      fake.override(activity, async () => {
        fake.override(activity, undefined);
        if (activity === 'changeIso') fake.discs.set(vmId, 'inserted');
        return hang();
      });
      const asked = fake.timesAsked(activity);
      const job = await scenario.begin('attachIso', vmId, { isoId });
      await waitFor(`${activity} is asked for`, async () => fake.timesAsked(activity) > asked);
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
      const { vmId, job } = await stuck();
      await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
      expect(await scenario.ended(job)).toMatchObject(CANCELLED);
      await isOut(vmId);
    });

    it('by a termination is not in the drive', async () => {
      const { vmId, job } = await stuck();
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
    const other = await join('host-2');
    for (const host of [fake, other]) host.override('startDomain', broken);
    const { vmId, job } = await scenario.deploy(isoId, { blankDiskBytes: DISK_BYTES });
    expect(job).toMatchObject(failed('the tray is stuck'));
    expect([fake.timesAsked('downloadTier'), other.timesAsked('downloadTier')]).toEqual([1, 1]);
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Error', isoSpoolRefId: null });
    expect(await unused()).toEqual([isoId]);
  });
});
