import { defaultPayloadConverter } from '@temporalio/common';
import { and, eq, sql } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { templateSpoolRef } from '../../db/schema/index.js';
import type { DownloadProgress } from '../../shared/images.js';
import { stageWorkflowId } from '../../shared/workflow-ids.js';

type SpoolRow = typeof templateSpoolRef.$inferSelect;

/**
 * Copies the progress of running downloads from their heartbeats to the rows that lists read, at most once a second a
 * download, so that lists never call Temporal. Several control workers share the rows: each takes those that nobody
 * has updated within the last second.
 */
export function createProgressRecorder({ db, client }: Pick<ControlDependencies, 'db' | 'client'>) {
  return async (): Promise<void> => {
    const rows = await db
      .update(templateSpoolRef)
      .set({ lastUpdated: sql`now()` })
      .where(
        and(
          eq(templateSpoolRef.state, 'Downloading'),
          sql`${templateSpoolRef.lastUpdated} < now() - interval '900 milliseconds'`,
        ),
      )
      .returning();
    await Promise.all(rows.map(record));
  };

  async function record(row: SpoolRow): Promise<void> {
    const progress = await readHeartbeat(row);
    if (!progress) return;
    const { bytes, totalBytes, bytesPerSecond, mirrors } = progress;
    await db
      .update(templateSpoolRef)
      .set({
        downloadedBytes: bytes,
        bytesPerSecond: Math.round(bytesPerSecond),
        downloadSource: mirrors.map(({ url }) => url).join(', ') || null,
        // 100 is for a copy that is Ready.
        downloadPct: totalBytes ? Math.min(99, Math.floor((bytes / totalBytes) * 100)) : 0,
      })
      .where(and(eq(templateSpoolRef.id, row.id), eq(templateSpoolRef.state, 'Downloading')));
  }

  async function readHeartbeat({ poolId, templateId, generation }: SpoolRow): Promise<DownloadProgress | undefined> {
    const stage = client.workflow.getHandle(stageWorkflowId(poolId, templateId, generation));
    // A stage that has not begun, or has ended, has no progress to tell.
    const description = await stage.describe().catch(() => undefined);
    const transfer = description?.raw.pendingActivities?.find(
      ({ activityType }) => activityType?.name === 'downloadTier',
    );
    const payload = transfer?.heartbeatDetails?.payloads?.[0];
    return payload ? defaultPayloadConverter.fromPayload<DownloadProgress>(payload) : undefined;
  }
}
