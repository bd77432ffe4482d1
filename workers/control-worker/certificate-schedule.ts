import { performance } from 'node:perf_hooks';
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client';
import type { ControlDependencies } from '../../activities/control/dependencies.js';
import { CERTIFICATES_WITHIN } from '../../client/provision-certificates.js';
import { readSettings } from '../../db/settings.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';

export const CERTIFICATE_SCHEDULE_ID = 'certificate-sync';

/** A schedule that somebody deleted, or changed by hand, is what the setting says again after this. */
const MENDED_WITHIN_MS = 5 * 60_000;

const PAUSED_BY_SETTING = 'Paused: direct.download.certificate.background.task.interval is 0';

/**
 * Makes a function to be called often, which keeps the schedule of `syncCertificates` at the interval of the setting. It
 * is made when the function is called for the first time; several control workers may do so. Someone's own pause of the
 * schedule stays.
 */
export function createCertificateScheduler(
  { db, client }: Pick<ControlDependencies, 'db' | 'client'>,
  nowMs: () => number = () => performance.now(),
): () => Promise<void> {
  let scheduledHours: number | undefined;
  let scheduledMs = -Infinity;
  return async () => {
    const hours = Number((await readSettings(db))['direct.download.certificate.background.task.interval']);
    const lookedMs = nowMs();
    if (hours === scheduledHours && lookedMs - scheduledMs < MENDED_WITHIN_MS) return;
    const isOff = hours === 0;
    const options = {
      spec: { intervals: [{ every: `${Math.max(hours, 1)} h` }] },
      action: {
        type: 'startWorkflow',
        workflowType: 'syncCertificates',
        workflowId: CERTIFICATE_SCHEDULE_ID,
        workflowRunTimeout: CERTIFICATES_WITHIN,
        taskQueue: CONTROL_TASK_QUEUE,
        args: [],
        staticSummary: 'look for hosts that do not have the certificates that they should',
      },
      // A round sees to all that the rounds before it would have.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 h' },
    } satisfies Omit<ScheduleOptions, 'scheduleId'>;
    const pause = isOff ? { paused: true, note: PAUSED_BY_SETTING } : { paused: false };
    try {
      await client.schedule.create({ scheduleId: CERTIFICATE_SCHEDULE_ID, ...options, state: pause });
    } catch (error) {
      if (!(error instanceof ScheduleAlreadyRunning)) throw error;
      await client.schedule.getHandle(CERTIFICATE_SCHEDULE_ID).update(({ state }) => ({
        ...options,
        state: state.paused && state.note !== PAUSED_BY_SETTING ? state : pause,
      }));
    }
    scheduledHours = hours;
    scheduledMs = lookedMs;
  };
}
