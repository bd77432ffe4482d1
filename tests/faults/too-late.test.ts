import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { eq } from 'drizzle-orm';
import { capacityClaim, templateSpoolRef, vmInstance } from '../../db/schema/index.js';
import { awaitHeartbeat, awaitScheduled } from '../support/await-step.js';
import { findStageRun, findVmRun } from '../support/find-run.js';
import { gate } from '../support/gate.js';
import { ProvingGround } from '../support/proving-ground.js';
import type { TestDisk } from '../support/test-installation.js';
import { describeUnless } from '../support/unless.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);

const MiB = 1024 ** 2;
const MIRROR = { server: 'limit_rate 4m;' };
/** Short, so that a deployment moves on soon. */
const SETTINGS = { 'host.reconnect.grace': '5' };
const WITHIN_SECONDS_MS = 10_000;

describeUnless(ProvingGround.obstacle(), 'what comes too late', () => {
  let ground: ProvingGround;
  let small: { disk: TestDisk; url: string };

  beforeAll(async () => {
    ground = await ProvingGround.start({ hosts: 2, isPoolShared: true, settings: SETTINGS }, MIRROR);
    small = await ground.disk(2 * MiB);
  });
  afterAll(() => ground?.stop());

  const register = ({ disk, url }: typeof small) => ground.test.register(url, `{SHA-256}${disk.sha256}`);
  const hostOf = async (vmId: string) => {
    const [claim] = await ground.db.select().from(capacityClaim).where(eq(capacityClaim.vmId, vmId));
    return ground.test.installation.hosts.find(({ id }) => id === claim?.hostId)!;
  };

  it('a cancelled deployment takes no more bytes from its mirror, and leaves nothing', async () => {
    const large = await ground.disk(64 * MiB);
    const templateId = await register(large);
    const { id, jobid } = await ground.test.begin(templateId);
    await awaitHeartbeat(ground.temporal, await findStageRun(ground, templateId), 'downloadTier');
    await ground.test.client.call('cancelJob', { jobid });
    // The mirror writes a request down when its connection is closed; all of it would take it 16 s.
    const hasBrokenOff = async () =>
      (await ground.mirror.requests(large.disk.path)).some(({ bytes }) => bytes > MiB && bytes < large.disk.sizeBytes);
    await waitFor('the mirror is rid of the download', hasBrokenOff, WITHIN_SECONDS_MS);
    expect(await ground.jobEnd(jobid)).toMatchObject({ hasSucceeded: false });
    await ground.test.expunge(id);
    await ground.test.leavesNothing();
  });

  it('a download that lasts longer than the deadline of its deployment ends with it, which says where it was', async () => {
    const templateId = await register(await ground.disk(64 * MiB));
    const deadline = (value: string) =>
      ground.test.client.call('updateConfiguration', { name: 'deployment.deadline', value });
    await deadline('3');
    const { id, jobid } = await ground.test.begin(templateId);
    await deadline('10800');
    const { errortext } = await ground.jobEnd(jobid);
    expect(errortext).toContain('took longer than 3 s and was ended while staging the template');
    await ground.test.expunge(id);
    await ground.test.leavesNothing();
  });

  it('a deployment that is cancelled in the middle of undoing is undone, and leaves a stranger’s domain alone', async () => {
    const { id, jobid } = await ground.test.begin(await register(small));
    const [vm] = await ground.db.select().from(vmInstance).where(eq(vmInstance.id, id));
    const stranger = randomUUID();
    await ground.libvirtd.runStranger({ name: vm!.instanceName, id: stranger });
    await awaitScheduled(ground.temporal, await findVmRun(ground, id, jobid), 'removeDeployment');
    await ground.test.client.call('cancelJob', { jobid });
    const { hasSucceeded } = await ground.jobEnd(jobid);
    expect(hasSucceeded).toBe(false);
    expect(await ground.domains()).toEqual([stranger]);
    await run('virsh', ['--connect', ground.libvirtd.uri, 'destroy', stranger]);
    await ground.test.expunge(id);
    await ground.test.leavesNothing();
  });

  it('a host that falls silent between its install and what comes of it changes nothing when it returns', async () => {
    const { test, temporal, db } = ground;
    const templateId = await register(small);
    const { id, jobid } = await test.begin(templateId);
    const stage = await findStageRun(ground, templateId);
    await awaitScheduled(temporal, stage, 'verifyChecksum');
    const silent = await hostOf(id);
    const { opened: isSilent, open: goOn } = gate();
    // The copy cannot become Ready before its host is silent.
    const held = db.transaction(async (tx) => {
      await tx.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId)).for('update');
      await isSilent;
    });
    try {
      await awaitScheduled(temporal, stage, 'finishStage');
      silent.worker.kill('SIGSTOP');
      goOn();
      await test.isHost(silent.id, 'Down');
    } finally {
      goOn();
      silent.worker.kill('SIGCONT');
      await held;
    }
    // There, or on the other host of the pool: in any case from this copy.
    expect(await ground.jobEnd(jobid)).toMatchObject({ hasSucceeded: true });
    await ground.isWhole();
    await test.hasBooted(id, small.disk);
    const copies = await db.select().from(templateSpoolRef).where(eq(templateSpoolRef.templateId, templateId));
    expect(copies).toMatchObject([{ state: 'Ready' }]);
    expect((await temporal.workflow.getHandle(stage.workflowId).describe()).runId).toBe(stage.runId);
    await test.expunge(id);
    await test.leavesNothing();
  });

  it('a host that was cut off installs nothing that counts, and ends what it runs before it is Up', async () => {
    const { test, temporal } = ground;
    const before = await register(small);
    const running = [await test.deploy(before), await test.deploy(before)];
    const templateId = await register(small);
    const [late, other] = [await test.begin(templateId), await test.begin(templateId)];
    await awaitScheduled(temporal, await findStageRun(ground, templateId), 'installTemplate');
    const cutOff = await hostOf(late.id);
    const vmId = (await hostOf(running[0]!)).id === cutOff.id ? running[0]! : running[1]!;
    const start = () => test.run('startVirtualMachine', { id: vmId });

    cutOff.worker.kill('SIGSTOP');
    try {
      await test.isHost(cutOff.id, 'Down');
      // As far as anybody knows it runs there.
      await expect(start()).rejects.toMatchObject({ errorcode: 431 });
      await test.run('declareHostAsDegraded', { id: cutOff.id });
      expect((await test.vm(vmId)).state).toBe('Stopped');
      // The operator was wrong: it runs. Here, where both hosts have one libvirt, that is seen.
      expect(await ground.domains()).toContain(vmId);
      await expect(start()).rejects.toMatchObject({
        errortext: expect.stringContaining('exists on this host and does not belong to this VM') as string,
      });
      // The other host has got the template by itself, for the deployment that waited there.
      expect(await ground.jobEnd(other.jobid)).toMatchObject({ hasSucceeded: true });
      expect((await hostOf(other.id)).id).not.toBe(cutOff.id);
    } finally {
      cutOff.worker.kill('SIGCONT');
    }
    await waitFor('the host is Up', async () => {
      const hasEnded = !(await ground.domains()).includes(vmId);
      const { host } = await test.client.call('listHosts', { id: cutOff.id });
      const isUp = (host as { state: string }[])[0]!.state === 'Up';
      if (isUp) expect(hasEnded).toBe(true);
      return isUp;
    });
    await start();
    expect((await test.vm(vmId)).hostid).not.toBe(cutOff.id);
    expect(await ground.jobEnd(late.jobid)).toMatchObject({ hasSucceeded: true });

    await test.run('cancelHostAsDegraded', { id: cutOff.id });
    const files = async () => (await readdir(cutOff.poolPath)).filter((name) => name.startsWith(templateId));
    await waitFor('what the late host has installed is swept', async () => (await files()).length === 1);
    for (const id of [...running, late.id, other.id]) await test.expunge(id);
    await test.leavesNothing();
  });
});
