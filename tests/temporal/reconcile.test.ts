import { randomUUID } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { createControlActivities } from '../../activities/control/index.js';
import {
  event,
  host,
  reconciliationFinding,
  storagePool,
  templateSpoolRef,
  vmInstance,
  volumes,
} from '../../db/schema/index.js';
import { reconciliationWorkflowId } from '../../shared/workflow-ids.js';
import { evictUnusedCopies } from '../../workers/control-worker/evict-unused-copies.js';
import { reconcileHosts } from '../../workers/control-worker/reconcile-hosts.js';
import type { FakeHost } from '../support/fake-host.js';
import { refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('the comparison of hosts with the database', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;

  beforeEach(async () => {
    fake = await join('host-1');
  });
  afterEach(async () => {
    await plane.db.delete(reconciliationFinding);
    await plane.db.delete(event);
  });

  /** As the control worker does, and until it is done. */
  async function compare(hostId = fake.hostId): Promise<void> {
    await plane.db.update(host).set({ reconciled: null }).where(eq(host.id, hostId));
    await reconcileHosts(plane);
    await plane.client.workflow.getHandle(reconciliationWorkflowId(hostId)).result();
  }
  const events = async (type: string) =>
    (await plane.db.select().from(event).where(eq(event.type, type))).map(({ description }) => description);
  const copies = (templateId: string) =>
    plane.db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
  const rootOf = async (vmId: string) =>
    (await plane.db.select().from(volumes).where(eq(volumes.instanceId, vmId)))[0]!;

  it('finds nothing after deployments, and looks again only when it is due', async () => {
    const templateId = await scenario.template();
    const kept = await scenario.deploy(templateId);
    const gone = await scenario.deploy(templateId);
    await scenario.destroy(gone.vmId, true);
    const before = [...fake.copies, ...fake.volumes];
    await compare();
    expect([...fake.copies, ...fake.volumes]).toEqual(before);
    expect(fake.timesAsked('settleInventory')).toBe(0);
    expect(await plane.db.select().from(reconciliationFinding)).toEqual([]);
    expect(await scenario.vmRow(kept.vmId)).toMatchObject({ state: 'Running' });
    const { id: jobId, userId, workflowId } = kept.job;
    const told = await plane.db.select().from(event).where(eq(event.resourceId, kept.vmId));
    expect(told).toMatchObject([{ type: 'VM.CREATE', level: 'INFO', jobId, userId, workflowId }]);

    await reconcileHosts(plane);
    expect(fake.timesAsked('takeInventory')).toBe(1);
    await fake.stop();
    await fake.start();
    await fake.isStatus('Up');
    await waitFor('the new worker is looked at', async () => {
      await reconcileHosts(plane);
      return fake.timesAsked('takeInventory') === 2;
    });
  });

  it('removes what tries have left behind, and reports once what it does not know', async () => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    const { id: volumeId, token } = await rootOf(vmId);
    const orphans = [`${templateId}.g1.e0`, `${volumeId}.${token! - 1}`];
    const strangers = [`${randomUUID()}.g1.e1`, `${randomUUID()}.2`, `${volumeId}.${token! + 100}`];
    fake.copies.add(orphans[0]!);
    fake.volumes.add(orphans[1]!);
    for (const name of strangers) fake.volumes.add(name);
    fake.domains.set(randomUUID(), 2);
    for (const _ of ['first', 'second']) await compare();
    const left = [...fake.copies, ...fake.volumes];
    expect(left.filter((name) => orphans.includes(name))).toEqual([]);
    expect(left).toEqual(expect.arrayContaining([...strangers, (await rootOf(vmId)).path]));
    const [removed, ...more] = await events('STORAGE.ORPHAN.REMOVE');
    expect(more).toEqual([]);
    for (const name of orphans) expect(removed).toContain(name);
    expect(await events('STORAGE.ORPHAN')).toEqual([expect.stringContaining(strangers[0]!)]);
    expect(await events('HOST.UNKNOWN.VM')).toHaveLength(1);

    for (const name of strangers) fake.volumes.delete(name);
    await compare();
    fake.volumes.add(strangers[1]!);
    await compare();
    expect(await events('STORAGE.ORPHAN')).toHaveLength(2);
  });

  it('has a template brought anew when its file is lost, and tells whose disk is', async () => {
    const unused = await scenario.template();
    await scenario.destroy((await scenario.deploy(unused)).vmId, true);
    const used = await scenario.template();
    const { vmId } = await scenario.deploy(used);
    fake.copies.clear();
    fake.volumes.clear();
    await compare();
    expect(await copies(unused)).toMatchObject([{ state: 'Evicting' }]);
    await evictUnusedCopies(plane);
    await waitFor('its row is gone', async () => (await copies(unused)).length === 0);
    expect(await copies(used)).toMatchObject([{ state: 'Superseded' }]);
    expect(await events('STORAGE.LOST')).toHaveLength(4);
    const ofVm = await plane.db.select().from(event).where(eq(event.resourceId, vmId));
    expect(ofVm).toContainEqual(expect.objectContaining({ type: 'STORAGE.LOST', level: 'ERROR' }));

    const again = await scenario.deploy(used);
    expect(again.job.jobStatus).toBe(1);
    expect((await copies(used)).map(({ state }) => state).toSorted()).toEqual(['Ready', 'Superseded']);
    await scenario.destroy(vmId, true);
    await scenario.destroy(again.vmId, true);
  });

  it('does not take for lost, nor for an orphan, what comes while it compares', async () => {
    const { compareInventory, recordReconciled } = createControlActivities(plane);
    const templateId = await scenario.template();
    const empty = { poolId: fake.poolId, files: [], recentFiles: [] };
    const inventory = { bootId: fake.bootId, pools: [empty], vmIds: [], keptVmIds: [] };
    const { vmId } = await scenario.deploy(templateId);
    const { settlement, findings } = await compareInventory({ hostId: fake.hostId, inventory });
    // Not in the list, and there by now.
    expect(settlement.missing).toHaveLength(2);
    const settled = await settle(settlement);
    expect(settled.missing).toEqual([]);
    const found = { hostId: fake.hostId, bootId: fake.bootId, ranges: [{ poolId: fake.poolId }], findings };
    await recordReconciled({ ...found, settled });
    expect(await copies(templateId)).toMatchObject([{ state: 'Ready' }]);

    // Missing when it was looked for, and expunged since.
    await scenario.destroy(vmId, true);
    await recordReconciled({ ...found, settled: { ...settled, ...settlement } });
    expect((await events('STORAGE.LOST')).filter((text) => text.includes('Disk'))).toEqual([]);

    // A copy that a stage installs, before its row says so; and the same once a later try has taken over.
    const [copy] = await plane.db
      .insert(templateSpoolRef)
      .values({ poolId: fake.poolId, templateId: await scenario.template(), generation: 1, epoch: 900_000 })
      .returning();
    await plane.db.update(templateSpoolRef).set({ state: 'Downloading' }).where(eq(templateSpoolRef.id, copy!.id));
    const file = `${copy!.templateId}.g1.e900000`;
    const listed = { ...inventory, pools: [{ ...empty, files: [file] }] };
    const first = await compareInventory({ hostId: fake.hostId, inventory: listed });
    expect(first.settlement.orphans).toEqual([]);
    await plane.db.update(templateSpoolRef).set({ epoch: 900_001 }).where(eq(templateSpoolRef.id, copy!.id));
    const second = await compareInventory({ hostId: fake.hostId, inventory: listed });
    expect(second.settlement.orphans).toEqual([{ poolId: fake.poolId, fileName: file }]);
    await plane.db.delete(templateSpoolRef).where(eq(templateSpoolRef.id, copy!.id));
  });

  it('leaves alone the files of a VM that something works on', async () => {
    const { compareInventory } = createControlActivities(plane);
    const { vmId } = await scenario.deploy(await scenario.template());
    const { id: volumeId } = await rootOf(vmId);
    const listed = { poolId: fake.poolId, files: [`${volumeId}.0`], recentFiles: [] };
    const inventory = { bootId: fake.bootId, pools: [listed], vmIds: [], keptVmIds: [] };
    const job = await scenario.job('stopVirtualMachine', vmId, {});
    const { settlement } = await compareInventory({ hostId: fake.hostId, inventory });
    expect([settlement.orphans, settlement.missing.filter(({ kind }) => kind === 'lostVolume')]).toEqual([[], []]);
    await scenario.start(job);
    await scenario.ended(job);
  });

  it('has one host of a shared pool look at it, and forgets consoles of VMs that are gone', async () => {
    const shared = await join('host-2', { poolId: randomUUID() });
    const other = await join('host-3', { poolId: shared.poolId });
    const { vmId } = await scenario.deploy(await scenario.template());
    await scenario.destroy(vmId, true);
    for (const one of [shared, other]) {
      one.override('takeInventory', ({ poolIds }) =>
        Promise.resolve({
          bootId: one.bootId,
          pools: poolIds.map((poolId) => ({ poolId, files: [...shared.copies, ...other.copies], recentFiles: [] })),
          vmIds: [],
          keptVmIds: [vmId, randomUUID()],
        }),
      );
    }
    await compare(shared.hostId);
    await compare(other.hostId);
    const asked = (activity: string) =>
      [shared, other].flatMap(({ calls }) => calls.filter((call) => call.activity === activity));
    const lookedAt = asked('takeInventory').map(({ input }) => (input as { poolIds: string[] }).poolIds);
    expect(lookedAt.flat()).toEqual([shared.poolId]);
    expect(lookedAt.length).toBeGreaterThan(1);
    for (const { input } of asked('settleInventory')) {
      expect(input).toEqual({ orphans: [], missing: [], goneVmIds: [vmId] });
    }
    expect(asked('settleInventory')).toHaveLength(lookedAt.length);
  });

  it('is done in parts, where a host has more files than fit into one', async () => {
    const templateId = await scenario.template();
    const { vmId } = await scenario.deploy(templateId);
    const { id: volumeId, token } = await rootOf(vmId);
    const orphans = [`${templateId}.g1.e0`, `${volumeId}.${token! - 1}`];
    const strangers = [
      `00000000-${randomUUID().slice(9)}.2`,
      `${volumeId}.${token! + 100}`,
      `ffffffff-${randomUUID().slice(9)}.2`,
    ];
    fake.copies.add(orphans[0]!);
    for (const name of [orphans[1]!, ...strangers]) fake.volumes.add(name);
    const stranger = randomUUID();
    fake.domains.set(stranger, 2);
    fake.override('takeInventory', ({ poolIds: [poolId = ''], from }) => {
      const behind = [...fake.copies, ...fake.volumes].filter((name) => name > (from?.after ?? '')).toSorted();
      const files = behind.slice(0, 2);
      const upTo = behind.length > 2 ? files.at(-1) : undefined;
      const part = { poolId, after: from?.after, files, recentFiles: [], upTo };
      const next = upTo === undefined ? undefined : { poolId, after: upTo };
      const vmIds = from ? [] : [...fake.domains.keys()];
      return Promise.resolve({ bootId: fake.bootId, pools: [part], vmIds, keptVmIds: [], next });
    });
    for (const _ of ['first', 'second']) await compare();
    expect(fake.timesAsked('takeInventory')).toBeGreaterThan(6);
    const left = [...fake.copies, ...fake.volumes];
    const counting = [(await copies(templateId))[0]!.installPath!, (await rootOf(vmId)).path!];
    expect(left.toSorted()).toEqual([...counting, ...strangers].toSorted());
    const findings = await plane.db.select().from(reconciliationFinding);
    expect(findings.map(({ name }) => name).toSorted()).toEqual([...strangers, stranger].toSorted());
    expect((await events('STORAGE.ORPHAN')).length).toBeLessThanOrEqual(strangers.length);
    expect(await events('STORAGE.LOST')).toEqual([]);
    const [looked] = await plane.db.select().from(host).where(eq(host.id, fake.hostId));
    expect(looked).toMatchObject({ reconciledBootId: fake.bootId });

    // As a run that goes on for another one does.
    fake.volumes.delete(strangers[0]!);
    fake.volumes.delete(strangers[2]!);
    const plan = { hostName: fake.name, poolIds: [fake.poolId] };
    const from = { poolId: fake.poolId, after: strangers[0]! };
    const rest = { plan, from, readIds: [], tally: { removed: 0, leftAlone: 0, missing: 0 } };
    await plane.client.workflow.execute('reconcileHost', {
      workflowId: reconciliationWorkflowId(fake.hostId),
      taskQueue: 'control',
      args: [{ hostId: fake.hostId, rest }],
    });
    const since = await plane.db.select().from(reconciliationFinding);
    expect(since.map(({ name }) => name).toSorted()).toEqual([strangers[0]!, strangers[1]!, stranger].toSorted());
    const [pool] = await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId));
    expect(pool!.reconciled).not.toBeNull();
    for (const name of strangers) fake.volumes.delete(name);
  });

  it('is not done as long as the host cannot tell', async () => {
    fake.override('takeInventory', () => Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'libvirt is away')));
    await plane.db.update(host).set({ reconciled: null }).where(eq(host.id, fake.hostId));
    await reconcileHosts(plane);
    const handle = plane.client.workflow.getHandle(reconciliationWorkflowId(fake.hostId));
    await waitFor('it pauses', () => Promise.resolve(fake.timesAsked('takeInventory') === 1));
    await reconcileHosts(plane);
    const [row] = await plane.db
      .select()
      .from(host)
      .where(sql`${host.id} = ${fake.hostId} and ${host.reconciled} is null`);
    expect(row).toBeDefined();
    await waitFor('other hosts may look at its pool', async () => {
      const [pool] = await plane.db.select().from(storagePool).where(eq(storagePool.id, fake.poolId));
      return pool?.reconciled === null;
    });
    await handle.terminate();
    expect(fake.timesAsked('takeInventory')).toBe(1);
    expect(await plane.db.select().from(vmInstance).where(eq(vmInstance.hostId, fake.hostId))).toEqual([]);
  });

  /** What the host of the test answers. */
  function settle(settlement: {
    missing: { poolId: string; fileName: string; kind: 'lostTemplate' | 'lostVolume' }[];
  }) {
    const missing = settlement.missing.filter(
      ({ fileName }) => !fake.copies.has(fileName) && !fake.volumes.has(fileName),
    );
    return Promise.resolve({ removed: [], inUse: [], missing });
  }
});
