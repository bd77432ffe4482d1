import { and, eq, inArray, sql } from 'drizzle-orm';
import { findTransfer } from '../../client/find-transfer.js';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { templateSpoolRef } from '../../db/schema/index.js';
import type { DownloadProgress } from '../../shared/images.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';

/** Downloads that are asked after in a second. With more of them each is asked after less often: it costs Temporal. */
const ROUND = 20;

type SpoolRow = typeof templateSpoolRef.$inferSelect;

/**
 * Copies the progress of running downloads from their heartbeats to the rows that lists read, at most once a second a
 * download, so that lists never call Temporal. Several control workers share the rows: each takes those that nobody
 * has updated within the last second, the longest neglected first.
 */
export function createProgressRecorder({ db, client }: Pick<ControlDependencies, 'db' | 'client'>) {
  return async (): Promise<void> => {
    const longestAgo = db
      .select({ id: templateSpoolRef.id })
      .from(templateSpoolRef)
      .where(
        and(
          eq(templateSpoolRef.state, 'Downloading'),
          sql`${templateSpoolRef.lastUpdated} < now() - interval '900 milliseconds'`,
        ),
      )
      .orderBy(templateSpoolRef.lastUpdated)
      .limit(ROUND)
      .for('no key update', { skipLocked: true });
    const rows = await db
      .update(templateSpoolRef)
      .set({ lastUpdated: sql`now()` })
      .where(inArray(templateSpoolRef.id, longestAgo))
      .returning();
    await Promise.all(rows.map(record));
  };

  async function record({ id, poolId, templateId, generation, isQueued }: SpoolRow): Promise<void> {
    const transfer = await findTransfer(client, stageWorkflowId(poolId, templateId, generation));
    const changes = {
      ...(transfer?.progress ? progressColumns(transfer.progress) : {}),
      ...((transfer?.isQueued ?? false) === isQueued ? {} : { isQueued: !isQueued }),
    };
    if (Object.keys(changes).length === 0) return;
    await db
      .update(templateSpoolRef)
      .set(changes)
      .where(and(eq(templateSpoolRef.id, id), eq(templateSpoolRef.state, 'Downloading')));
  }
}

const progressColumns = ({ bytes, totalBytes, bytesPerSecond, mirrors }: DownloadProgress) => ({
  downloadedBytes: bytes,
  bytesPerSecond: Math.round(bytesPerSecond),
  downloadSource: mirrors.map(({ url }) => url).join(', ') || null,
  // 100 is for a copy that is Ready.
  downloadPct: totalBytes ? Math.min(99, Math.floor((bytes / totalBytes) * 100)) : 0,
});
