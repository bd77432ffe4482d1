import { isDeepStrictEqual } from 'node:util';
import { eq, inArray } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { host, templateSpoolRef } from '../../db/schema/index.js';
import { downloadSettings, type ToldLimits } from '../../shared/download-settings.js';
import type { TellBandwidthInput } from '../../shared/hosts.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { bandwidthWorkflowId } from '../../shared/workflow-ids.js';

/**
 * Tells hosts that download what the limits of downloads are, where those are others than the host was told last: a limit
 * that was set and taken back between two looks may be what a download has begun with. A host worker that has started
 * since was told nothing: its downloads go on with what they have begun with. A host that was not told has them with its
 * next download.
 */
export async function tellBandwidth({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): Promise<void> {
  const settings = await readScopedSettings(db);
  const { id, hostId, bandwidth } = templateSpoolRef;
  const downloading = await db
    .select({
      id,
      hostId: host.id,
      zoneId: host.dataCenterId,
      clusterId: host.clusterId,
      bootId: host.bootId,
      bandwidth,
    })
    .from(templateSpoolRef)
    .innerJoin(host, eq(host.id, hostId))
    .where(eq(templateSpoolRef.state, 'Downloading'));
  const byHost = new Map<string, { told: ToldLimits; ids: string[] }>();
  for (const download of downloading) {
    const told = { ...downloadSettings(settings.at(download)).bandwidth, bootId: download.bootId };
    if (isDeepStrictEqual(told, download.bandwidth)) continue;
    const { ids } = byHost.get(download.hostId) ?? { ids: [] };
    byHost.set(download.hostId, { told, ids: [...ids, download.id] });
  }
  for (const [toldHostId, { told, ids }] of byHost) {
    const input: TellBandwidthInput = { hostId: toldHostId };
    await client.workflow.start('tellBandwidth', {
      workflowId: bandwidthWorkflowId(toldHostId),
      // One that runs may have read the limits already.
      workflowIdConflictPolicy: 'TERMINATE_EXISTING',
      taskQueue: CONTROL_TASK_QUEUE,
      args: [input],
      staticSummary: 'tell the host how fast it may download',
    });
    await db.update(templateSpoolRef).set({ bandwidth: told }).where(inArray(id, ids));
  }
}
