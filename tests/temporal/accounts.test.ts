import { eq } from 'drizzle-orm';
import { startJob } from '../../client/start-job.js';
import { createAccount, retireAccount, setAccountState } from '../../db/accounts.js';
import { createDomain } from '../../db/domains.js';
import { createJob, type JobRow } from '../../db/jobs.js';
import { findDefaultAdmin } from '../../db/reads/find-login.js';
import type { Caller } from '../../db/reads/find-caller.js';
import { retireDomain } from '../../db/retire-domain.js';
import {
  account,
  asyncJob,
  domain,
  JOB_STATUS,
  serviceOffering,
  sshKeypairs,
  vmTemplate,
} from '../../db/schema/index.js';
import { createVirtualMachine } from '../../db/virtual-machines.js';
import {
  accountStateWorkflowId,
  accountWorkflowId,
  domainWorkflowId,
  vmWorkflowId,
} from '../../shared/workflow-ids.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import { addTemplate } from '../support/add-template.js';
import type { FakeHost } from '../support/fake-host.js';
import { gate } from '../support/gate.js';
import { hang, refusal } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('deleteAccount, deleteDomain and disableAccount', () => {
  const { plane, scenario, join } = useControlPlane();
  let fake: FakeHost;
  let admin: Caller;
  let made = 0;

  beforeAll(async () => {
    admin = (await findDefaultAdmin(plane.db))!;
  });
  beforeEach(async () => {
    fake = await join('host-1');
  });

  const newAccount = (domainId = admin.domainId): Promise<string> => {
    const username = `user-${(made += 1)}`;
    const user = { username, password: 'p', firstname: 'f', lastname: 'l', email: 'e' };
    return createAccount(plane.db, admin, { name: username, type: 'User', domainId, user });
  };

  /** A VM of the account's, and the job of its deployment, which is not started. */
  async function newVm(accountId: string, templateId: string): Promise<{ vmId: string; job: JobRow }> {
    const [offering] = await plane.db.select().from(serviceOffering).limit(1);
    const { id: vmId } = await createVirtualMachine(plane.db, {
      accountId,
      zoneId: plane.seeded.zoneId,
      templateId,
      serviceOfferingId: offering!.id,
    });
    const jobId = crypto.randomUUID();
    const job = await createJob(plane.db, {
      id: jobId,
      accountId,
      userId: admin.userId,
      jobCmd: 'deployVirtualMachine',
      workflowType: 'deployVirtualMachine',
      workflowId: vmWorkflowId(vmId),
      workflowInput: { vmId, jobId, deadlineMs: 600_000 },
      instanceType: 'VirtualMachine',
      instanceId: vmId,
    });
    return { vmId, job };
  }

  const jobOf = (kind: 'Account' | 'Domain', id: string): Promise<JobRow> => {
    const jobId = crypto.randomUUID();
    return createJob(plane.db, {
      id: jobId,
      accountId: admin.accountId,
      userId: admin.userId,
      jobCmd: `delete${kind}`,
      workflowType: `delete${kind}`,
      workflowId: kind === 'Account' ? accountWorkflowId(id) : domainWorkflowId(id),
      workflowInput: { [kind === 'Account' ? 'accountId' : 'domainId']: id, jobId },
      instanceType: kind,
      instanceId: id,
    });
  };

  const accountRow = async (id: string) => (await plane.db.select().from(account).where(eq(account.id, id)))[0]!;

  it('destroys and expunges its VMs, calls off what is under way for them, deletes its templates, and ends', async () => {
    const accountId = await newAccount();
    const own = await addTemplate(plane, { accountId }, { sizeBytes: 2000 });
    const others = await scenario.template();
    await plane.db
      .insert(sshKeypairs)
      .values({ accountId, keypairName: 'key', fingerprint: 'f', publicKey: 'ssh-ed25519 AAAA' });
    const running = await newVm(accountId, own);
    await scenario.start(running.job);
    await scenario.ended(running.job);
    // Of a template whose download does not end.
    fake.override('downloadTier', hang);
    const stuck = await newVm(accountId, others);
    await scenario.start(stuck.job);
    await waitFor('the download has begun', () =>
      Promise.resolve(fake.calls.filter(({ activity }) => activity === 'downloadTier').length > 1),
    );
    const mine = await scenario.vm(others);

    await plane.db.transaction((tx) => retireAccount(tx, admin, accountId));
    const job = await jobOf('Account', accountId);
    // The gateway died before it could start it.
    await scenario.age(job);
    await sweepJobs(plane);
    expect(await scenario.ended(job, 60_000)).toMatchObject({
      jobStatus: JOB_STATUS.succeeded,
      jobResult: { success: true },
    });
    for (const { vmId } of [running, stuck]) expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Expunged' });
    expect(fake.domains.size).toBe(0);
    const [template] = await plane.db.select().from(vmTemplate).where(eq(vmTemplate.id, own));
    expect(template).toMatchObject({ state: 'Inactive', removed: expect.any(String) as string });
    expect(await plane.db.select().from(sshKeypairs).where(eq(sshKeypairs.accountId, accountId))).toEqual([]);
    expect(await accountRow(accountId)).toMatchObject({ cleanupNeeded: false, removed: expect.any(String) as string });
    // What others own is as it was.
    expect(await scenario.vmRow(mine.vmId)).toMatchObject({ state: 'Starting' });
    const [other] = await plane.db.select().from(vmTemplate).where(eq(vmTemplate.id, others));
    expect(other).toMatchObject({ state: 'Active', removed: null });
    fake.override('downloadTier', undefined);
  });

  it('takes domains with all that is below, and their names are free', async () => {
    const top = await createDomain(plane.db, admin, { name: 'top', parentId: admin.domainId });
    const below = await createDomain(plane.db, admin, { name: 'below', parentId: top });
    const accounts = [await newAccount(top), await newAccount(below)];
    const own = await addTemplate(plane, { accountId: accounts[1]! }, { sizeBytes: 2000 });
    const { vmId, job: deployment } = await newVm(accounts[0]!, own);
    await scenario.start(deployment);
    await scenario.ended(deployment);

    await plane.db.transaction((tx) => retireDomain(tx, admin, top, { withContents: true }));
    const job = await jobOf('Domain', top);
    await startJob(plane, job);
    expect(await scenario.ended(job, 60_000)).toMatchObject({ jobStatus: JOB_STATUS.succeeded });
    expect(await scenario.vmRow(vmId)).toMatchObject({ state: 'Expunged' });
    for (const id of [top, below]) {
      const [row] = await plane.db.select().from(domain).where(eq(domain.id, id));
      expect(row!.removed).not.toBeNull();
    }
    for (const id of accounts) expect(await accountRow(id)).toMatchObject({ cleanupNeeded: false });
    await createDomain(plane.db, admin, { name: 'top', parentId: admin.domainId });
    const running = await plane.db.select().from(asyncJob).where(eq(asyncJob.jobStatus, JOB_STATUS.inProgress));
    expect(running.filter(({ instanceId }) => instanceId === vmId || instanceId === own)).toEqual([]);
  });

  describe('disableAccount', () => {
    const disable = async (accountId: string): Promise<JobRow> => {
      await plane.db.transaction((tx) => setAccountState(tx, admin, accountId, 'disabled'));
      const jobId = crypto.randomUUID();
      const job = await createJob(plane.db, {
        id: jobId,
        accountId: admin.accountId,
        userId: admin.userId,
        jobCmd: 'disableAccount',
        workflowType: 'disableAccount',
        workflowId: accountStateWorkflowId(accountId),
        workflowInput: { accountId, jobId },
        instanceType: 'Account',
        instanceId: accountId,
      });
      await startJob(plane, job);
      return job;
    };
    const running = async (accountId: string, templateId: string): Promise<string> => {
      const { vmId, job } = await newVm(accountId, templateId);
      await scenario.start(job);
      await scenario.ended(job);
      return vmId;
    };

    it('stops what runs, by force where the first did not help, and what is being deployed when it runs', async () => {
      const accountId = await newAccount();
      const templateId = await scenario.template();
      const [easy, stubborn] = [await running(accountId, templateId), await running(accountId, templateId)];
      const { vmId: others } = await scenario.deploy(templateId);
      const { opened, open: finish } = gate();
      fake.override('downloadTier', async () => {
        await opened;
        return { sizeBytes: 1, resumedFromBytes: 0, digests: [], mirrors: [] };
      });
      fake.override('stopDomain', ({ vmId, isForced }) =>
        vmId === stubborn && !isForced
          ? Promise.reject(refusal('SLIPWAY_HYPERVISOR', 'the guest does not listen'))
          : Promise.resolve(void fake.domains.delete(vmId)),
      );
      const { vmId: late, job: deployment } = await newVm(accountId, await scenario.template());
      await scenario.start(deployment);
      const job = await disable(accountId);
      await waitFor('what runs has stopped', async () => fake.domains.size === 1);
      expect((await scenario.vmRow(late)).state).toBe('Starting');
      finish();
      expect(await scenario.ended(job, 60_000)).toMatchObject({
        jobStatus: JOB_STATUS.succeeded,
        jobResult: { success: true },
      });
      for (const vmId of [easy, stubborn, late]) expect((await scenario.vmRow(vmId)).state).toBe('Stopped');
      expect((await scenario.ended(deployment)).jobStatus).toBe(JOB_STATUS.succeeded);
      expect((await scenario.vmRow(others)).state).toBe('Running');
      for (const name of ['downloadTier', 'stopDomain'] as const) fake.override(name, undefined);
    });

    it('says what it could not stop, and stops no more once the account is enabled again', async () => {
      const accountId = await newAccount();
      const vmId = await running(accountId, await scenario.template());
      const { name } = await scenario.vmRow(vmId);
      const before = fake.timesAsked('stopDomain');
      fake.override('stopDomain', hang);
      /** As whoever cancels the job of a stop, so many having been begun. */
      const cancelStop = async (stops: number): Promise<void> => {
        await waitFor('the VM is to stop', async () => fake.timesAsked('stopDomain') === before + stops);
        await plane.client.workflow.getHandle(vmWorkflowId(vmId)).cancel();
      };
      const job = await disable(accountId);
      for (const stops of [1, 2]) await cancelStop(stops);
      expect(await scenario.ended(job, 60_000)).toMatchObject({
        jobStatus: JOB_STATUS.failed,
        jobResult: { errortext: expect.stringContaining(`could not be stopped: ${name} (Running)`) as string },
      });
      expect(await accountRow(accountId)).toMatchObject({ state: 'disabled' });

      const again = await disable(accountId);
      await waitFor('the VM is to stop', async () => fake.timesAsked('stopDomain') === before + 3);
      await plane.db.transaction((tx) => setAccountState(tx, admin, accountId, 'enabled'));
      await cancelStop(3);
      expect(await scenario.ended(again, 60_000)).toMatchObject({
        jobStatus: JOB_STATUS.failed,
        jobResult: { slipwaycode: 'SLIPWAY_CANCELLED' },
      });
      expect((await scenario.vmRow(vmId)).state).toBe('Running');
      fake.override('stopDomain', undefined);
    });
  });
});
