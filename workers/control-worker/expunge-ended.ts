import { and, eq, inArray, not, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { startJob } from '../../client/start-job.js';
import type { Database } from '../../db/client.js';
import { hasRunningJob } from '../../db/job-sql.js';
import { createJob, type JobRow } from '../../db/jobs.js';
import { user, vmInstance } from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import { isSlipwayError } from '../../shared/errors.js';
import { vmWorkflowId } from '../../shared/workflow-ids.js';

/** VMs of a round; the next one, seconds later, goes on. */
const ROUND = 100;

function isDue(db: Pick<Database, 'select'>, delaySeconds: number) {
  return and(
    inArray(vmInstance.state, ['Destroyed', 'Error']),
    sql`${vmInstance.ended} < now() - make_interval(secs => ${delaySeconds})`,
    not(hasRunningJob(db, vmInstance.id)),
  );
}

/**
 * Expunges VMs that were destroyed, or ended in Error, longer than `expunge.delay` ago; looks every `expunge.interval`.
 * Several control workers may do so at once: the row of a VM is locked while its job is made, and one that was recovered
 * before that is left alone.
 *
 * @returns a round, to be run often: most of the time it finds that it is not time yet
 */
export function createExpunger(
  dependencies: Pick<ControlDependencies, 'db' | 'client'>,
  nowMs: () => number = () => performance.now(),
): () => Promise<void> {
  let lastMs: number | undefined;
  return async () => {
    const settings = await readSettings(dependencies.db);
    const intervalMs = Number(settings['expunge.interval']) * 1000;
    if (lastMs !== undefined && nowMs() - lastMs < intervalMs) return;
    const begunMs = nowMs();
    const isAll = await expungeDue(dependencies, Number(settings['expunge.delay']));
    if (isAll) lastMs = begunMs;
  };
}

async function expungeDue(
  dependencies: Pick<ControlDependencies, 'db' | 'client'>,
  delaySeconds: number,
): Promise<boolean> {
  const { db } = dependencies;
  const due = await db.select({ id: vmInstance.id }).from(vmInstance).where(isDue(db, delaySeconds)).limit(ROUND);
  for (const { id } of due) {
    const job = await makeJob(dependencies, id, delaySeconds);
    if (job) await startJob(dependencies, job);
  }
  return due.length < ROUND;
}

/** In the name of the VM's account, as if one of its users had asked for it. */
async function makeJob(
  { db }: Pick<ControlDependencies, 'db'>,
  vmId: string,
  delaySeconds: number,
): Promise<JobRow | undefined> {
  const id = crypto.randomUUID();
  try {
    return await db.transaction(async (tx) => {
      const [vm] = await tx
        .select()
        .from(vmInstance)
        .where(and(eq(vmInstance.id, vmId), isDue(tx, delaySeconds)))
        .for('update', { skipLocked: true });
      if (!vm) return undefined;
      const [owner] = await tx.select().from(user).where(eq(user.accountId, vm.accountId)).limit(1);
      if (!owner) return undefined;
      return createJob(tx, {
        id,
        accountId: vm.accountId,
        userId: owner.id,
        jobCmd: 'expungeVirtualMachine',
        workflowType: 'destroyVirtualMachine',
        workflowId: vmWorkflowId(vmId),
        workflowInput: { vmId, jobId: id, expunge: true },
        instanceType: 'VirtualMachine',
        instanceId: vmId,
      });
    });
  } catch (error) {
    // Something works on it: the next round looks again.
    if (isSlipwayError(error) && error.code === 'SLIPWAY_RESOURCE_BUSY') return undefined;
    throw error;
  }
}
