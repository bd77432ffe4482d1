import { and, asc, eq, exists, inArray, isNull, ne, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { cancelJob } from '../../../client/cancel-job.js';
import { startJob } from '../../../client/start-job.js';
import { createJob, type JobRow } from '../../../db/jobs.js';
import { total } from '../../../db/reads/list-query.js';
import { account, asyncJob, domain, JOB_STATUS, vmInstance, vmTemplate } from '../../../db/schema/index.js';
import type { Owner } from '../../../shared/accounts.js';
import { imageType } from '../../../shared/images.js';
import { templateWorkflowId } from '../../../shared/workflow-ids.js';
import type { ControlDependencies, Transaction } from '../dependencies.js';
import { runningJob } from '../running-job.js';
import { createVmJob } from '../virtual-machine/create-vm-job.js';

/** Of each kind at once: hosts have other work too. */
const ROUND = 20;

export interface LeftOfOwner {
  virtualMachines: number;
  templates: number;
}

/** That a column has the id of an account whose things are meant. */
export function isOwnedBy(tx: Pick<Transaction, 'select'>, owner: Owner, accountId: PgColumn): SQL {
  if ('accountId' in owner) return eq(accountId, owner.accountId);
  const above = sql`(select path from ${domain} above where above.id = ${owner.domainId})`;
  return exists(
    tx
      .select({ one: sql`1` })
      .from(account)
      .innerJoin(domain, eq(domain.id, account.domainId))
      .where(and(eq(account.id, accountId), sql`starts_with(${domain.path}, ${above})`)),
  );
}

/**
 * Makes the jobs that remove the next few things, where none works on them already, and calls off what else works on VMs.
 *
 * @returns how many things are left, those that are being removed included
 */
export const removeSomeOwned =
  (dependencies: ControlDependencies) =>
  async ({ owner, jobId }: { owner: Owner; jobId: string }): Promise<LeftOfOwner> => {
    const { db, client } = dependencies;
    const parent = await runningJob(db, jobId);
    // Somebody started this workflow once too often.
    if (!parent) return { virtualMachines: 0, templates: 0 };
    const { left, toStart, toCancel } = await db.transaction(async (tx) => {
      const virtualMachines = await vmsOf(tx, owner, parent);
      const templates = await templatesOf(tx, owner, parent);
      return {
        left: { virtualMachines: virtualMachines.left, templates: templates.left },
        toStart: [...virtualMachines.toStart, ...templates.toStart],
        toCancel: virtualMachines.toCancel,
      };
    });
    // What cannot be started now is started by the sweeper; what cannot be cancelled now is looked at again.
    await Promise.all([
      ...toStart.map((job) => startJob(dependencies, job)),
      ...toCancel.map((job) => cancelJob(client, job).catch(() => undefined)),
    ]);
    return left;
  };

interface Round {
  left: number;
  toStart: JobRow[];
  toCancel: JobRow[];
}

async function vmsOf(tx: Transaction, owner: Owner, { userId }: JobRow): Promise<Round> {
  const rows = await tx
    .select({ id: vmInstance.id, accountId: vmInstance.accountId, total })
    .from(vmInstance)
    .where(and(isOwnedBy(tx, owner, vmInstance.accountId), ne(vmInstance.state, 'Expunged')))
    .orderBy(asc(vmInstance.created), asc(vmInstance.id))
    .limit(ROUND);
  const running = await runningJobs(
    tx,
    rows.map(({ id }) => id),
  );
  const toStart: JobRow[] = [];
  for (const { id: vmId, accountId } of rows) {
    if (running.some(({ instanceId }) => instanceId === vmId)) continue;
    const job = await createVmJob(tx, {
      vmId,
      accountId,
      userId,
      jobCmd: 'destroyVirtualMachine',
      input: { expunge: true },
    });
    if (job) toStart.push(job);
  }
  const toCancel = running.filter(({ workflowType }) => workflowType !== 'destroyVirtualMachine');
  return { left: rows[0]?.total ?? 0, toStart, toCancel };
}

async function templatesOf(tx: Transaction, owner: Owner, { userId }: JobRow): Promise<Round> {
  const rows = await tx
    .select({
      id: vmTemplate.id,
      accountId: vmTemplate.accountId,
      format: vmTemplate.format,
      state: vmTemplate.state,
      total,
    })
    .from(vmTemplate)
    .where(and(isOwnedBy(tx, owner, vmTemplate.accountId), isNull(vmTemplate.removed)))
    // One that is being registered is waited for: it becomes Active or is forgotten.
    .orderBy(asc(vmTemplate.state), asc(vmTemplate.id))
    .limit(ROUND);
  const running = await runningJobs(
    tx,
    rows.map(({ id }) => id),
  );
  const toStart: JobRow[] = [];
  for (const { id: templateId, accountId, format, state } of rows) {
    if (state !== 'Active' || running.some(({ instanceId }) => instanceId === templateId)) continue;
    const id = crypto.randomUUID();
    const job = await createJob(tx, {
      id,
      accountId,
      userId,
      jobCmd: format === 'ISO' ? 'deleteIso' : 'deleteTemplate',
      workflowType: 'deleteTemplate',
      workflowId: templateWorkflowId(templateId),
      workflowInput: { templateId, isForced: true, jobId: id },
      instanceType: imageType(format),
      instanceId: templateId,
    });
    toStart.push(job);
  }
  return { left: rows[0]?.total ?? 0, toStart, toCancel: [] };
}

const runningJobs = async (tx: Transaction, instanceIds: string[]): Promise<JobRow[]> =>
  instanceIds.length === 0
    ? []
    : tx
        .select()
        .from(asyncJob)
        .where(and(inArray(asyncJob.instanceId, instanceIds), eq(asyncJob.jobStatus, JOB_STATUS.inProgress)));
