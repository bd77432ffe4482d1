import { sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { isReconciliationDue } from '../../activities/control/reconcile/reconcile.js';
import { host } from '../../db/schema/index.js';
import { readSettings } from '../../db/settings.js';
import type { ReconcileHostInput } from '../../shared/reconciliation.js';
import { hostKey } from '../../shared/search-attributes.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { reconciliationWorkflowId } from '../../shared/workflow-ids.js';

/** A thousand hosts that start together are looked at one after the other. */
const HOSTS_AT_ONCE = 20;

/** Has Up hosts compared with the database that are due. Several control workers may do so at once: the id is the lock. */
export async function reconcileHosts({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const intervalSeconds = Number((await readSettings(db))['storage.reconcile.interval']);
  const due = await db
    .select({ id: host.id, name: host.name })
    .from(host)
    .where(isReconciliationDue(intervalSeconds))
    .orderBy(sql`random()`)
    .limit(HOSTS_AT_ONCE);
  for (const { id, name } of due) {
    const input: ReconcileHostInput = { hostId: id };
    await client.workflow.start('reconcileHost', {
      workflowId: reconciliationWorkflowId(id),
      workflowIdConflictPolicy: 'USE_EXISTING',
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
      typedSearchAttributes: [{ key: hostKey, value: id }],
      staticSummary: `compare what host ${name} has with the database`,
    });
  }
}
