import { eq } from 'drizzle-orm';
import { startJob } from '../../client/start-job.js';
import { createAccount, retireAccount } from '../../db/accounts.js';
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
import { accountWorkflowId, domainWorkflowId, vmWorkflowId } from '../../shared/workflow-ids.js';
import { sweepJobs } from '../../workers/control-worker/sweep-jobs.js';
import { addTemplate } from '../support/add-template.js';
import type { FakeHost } from '../support/fake-host.js';
import { hang } from '../support/host-answers.js';
import { useControlPlane } from '../support/use-control-plane.js';
import { waitFor } from '../support/wait-for.js';

describe('deleteAccount and deleteDomain', () => {
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
});
