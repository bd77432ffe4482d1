import { and, eq, inArray, not, notExists, sql } from 'drizzle-orm';
import { createVmJob } from '../../activities/control/virtual-machine/create-vm-job.js';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { startJob } from '../../client/start-job.js';
import type { Database } from '../../db/client.js';
import { hasRunningJob } from '../../db/job-sql.js';
import type { JobRow } from '../../db/jobs.js';
import { isMaintained } from '../../db/pool-sql.js';
import { storagePool, user, vmInstance, volumes } from '../../db/schema/index.js';
import { atIntervals } from './at-intervals.js';

/** VMs of a round; the next one, seconds later, goes on. */
const ROUND = 100;

/**
 * Expunges VMs that were destroyed, or ended in Error, longer than `expunge.delay` ago, every `expunge.interval`. Several
 * control workers may do so at once: the row of a VM is locked while its job is made, and one that was recovered before
 * that is left alone.
 */
export const createExpunger = (
  dependencies: Pick<ControlDependencies, 'db' | 'client'>,
  nowMs?: () => number,
): (() => Promise<void>) =>
  atIntervals({ db: dependencies.db, setting: 'expunge.interval', nowMs }, (settings) =>
    expungeDue(dependencies, Number(settings['expunge.delay'])),
  );

async function expungeDue(
  dependencies: Pick<ControlDependencies, 'db' | 'client'>,
  delaySeconds: number,
): Promise<boolean> {
  const { db } = dependencies;
  const due = await db.select({ id: vmInstance.id }).from(vmInstance).where(isDue(db, delaySeconds)).limit(ROUND);
  for (const { id } of due) {
    const job = await makeJob(db, id, delaySeconds);
    if (job) await startJob(dependencies, job);
  }
  return due.length < ROUND;
}

const isDue = (db: Pick<Database, 'select'>, delaySeconds: number) =>
  and(
    inArray(vmInstance.state, ['Destroyed', 'Error']),
    sql`${vmInstance.ended} < now() - make_interval(secs => ${delaySeconds})`,
    not(hasRunningJob(db, vmInstance.id)),
    // It would wait for the end of that, and be asked again every few seconds.
    notExists(
      db
        .select({ one: sql`1` })
        .from(volumes)
        .innerJoin(storagePool, eq(storagePool.id, volumes.poolId))
        .where(and(eq(volumes.instanceId, vmInstance.id), isMaintained)),
    ),
  );

/** In the name of the VM's account, as if one of its users had asked for it. */
const makeJob = (db: Database, vmId: string, delaySeconds: number): Promise<JobRow | undefined> =>
  db.transaction(async (tx) => {
    const [vm] = await tx
      .select()
      .from(vmInstance)
      .where(and(eq(vmInstance.id, vmId), isDue(tx, delaySeconds)))
      .for('update', { skipLocked: true });
    if (!vm) return undefined;
    const [owner] = await tx.select().from(user).where(eq(user.accountId, vm.accountId)).limit(1);
    if (!owner) return undefined;
    return createVmJob(tx, {
      vmId,
      accountId: vm.accountId,
      userId: owner.id,
      jobCmd: 'expungeVirtualMachine',
      workflowType: 'destroyVirtualMachine',
      input: { expunge: true },
    });
  });
