import { and, inArray, isNotNull, isNull, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { hostLife } from '../../client/host-life.js';
import { host } from '../../db/schema/index.js';

/** Longer than the longest watch, after which a quiet host says again what it is. */
const SILENT_SECONDS = 6 * 60;
/** Of those that are away for long there may be many, and each look costs Temporal a call for each. */
const HOSTS_AT_ONCE = 5;

/**
 * Begins the life in Temporal of hosts that have been silent for long, where somebody has terminated it: a host worker
 * announces itself when it starts, and one that runs on was shown as it was last seen for ever. A life that goes on is
 * left alone, as of a host that is Down.
 */
export async function resumeLives({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const silent = await db
    .select({ id: host.id })
    .from(host)
    .where(
      and(
        isNull(host.removed),
        isNotNull(host.bootId),
        inArray(host.status, ['Connecting', 'Up', 'Down', 'Alert']),
        sql`${host.lastPinged} < now() - make_interval(secs => ${SILENT_SECONDS})`,
      ),
    )
    .orderBy(sql`random()`)
    .limit(HOSTS_AT_ONCE);
  for (const { id } of silent) {
    await client.workflow.start('hostLifecycle', { ...hostLife(id), workflowIdConflictPolicy: 'USE_EXISTING' });
  }
}
