import { eq } from 'drizzle-orm';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { readScopedSettings } from '../../db/scoped-settings.js';
import { host, templateSpoolRef } from '../../db/schema/index.js';
import { downloadSettings } from '../../shared/download-settings.js';
import type { TellBandwidthInput } from '../../shared/hosts.js';
import type { ScopedSettings, SettingPlace } from '../../shared/scoped-settings.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { bandwidthWorkflowId } from '../../shared/workflow-ids.js';

/**
 * Makes a function to be called often, which tells hosts that download when their limits of downloads have changed since
 * it was called last. A host that was not told has them with its next download.
 */
export function createBandwidthTeller({ db, client }: Pick<ControlDependencies, 'db' | 'client'>): () => Promise<void> {
  let told: ScopedSettings | undefined;
  return async () => {
    const settings = await readScopedSettings(db);
    const downloading = await db
      .selectDistinct({ hostId: host.id, zoneId: host.dataCenterId, clusterId: host.clusterId })
      .from(templateSpoolRef)
      .innerJoin(host, eq(host.id, templateSpoolRef.hostId))
      .where(eq(templateSpoolRef.state, 'Downloading'));
    for (const { hostId, ...place } of downloading) {
      if (told && capsAt(told, place) === capsAt(settings, place)) continue;
      const input: TellBandwidthInput = { hostId };
      await client.workflow.start('tellBandwidth', {
        workflowId: bandwidthWorkflowId(hostId),
        // One that runs may have read the limits already.
        workflowIdConflictPolicy: 'TERMINATE_EXISTING',
        taskQueue: CONTROL_TASK_QUEUE,
        args: [input],
        staticSummary: 'tell the host how fast it may download',
      });
    }
    told = settings;
  };
}

const capsAt = (settings: ScopedSettings, place: SettingPlace): string =>
  JSON.stringify(downloadSettings(settings.at(place)).bandwidth);
