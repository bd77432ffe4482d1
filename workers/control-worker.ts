import { Worker } from '@temporalio/worker';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { connectWorker } from './connect-worker.js';
import { activityBoundary } from '../activities/activity-boundary.js';
import { finishMaintenance } from '../activities/control/host/host-maintenance.js';
import { createControlActivities } from '../activities/control/index.js';
import { warnOfExpiry } from '../activities/control/keystore/warn-of-expiry.js';
import { connectTemporal } from '../client/connect.js';
import { ensureSearchAttributes } from '../client/ensure-search-attributes.js';
import { openDatabase } from '../db/client.js';
import { foldRowCounts } from '../db/fold-row-counts.js';
import { createSecretBox } from '../db/secret-box.js';
import { requiredVariable } from '../shared/environment.js';
import { CONTROL_TASK_QUEUE } from '../shared/task-queues.js';
import { createCertificateScheduler } from './control-worker/certificate-schedule.js';
import { CONTROL_SLOTS } from './control-worker/control-slots.js';
import { evictUnusedCopies } from './control-worker/evict-unused-copies.js';
import { createExpunger } from './control-worker/expunge-ended.js';
import { createProgressRecorder } from './control-worker/progress-recorder.js';
import { provisionPending } from './control-worker/provision-pending.js';
import { createPurger } from './control-worker/purge-old-rows.js';
import { reconcileHosts } from './control-worker/reconcile-hosts.js';
import { removeDeadVolumes } from './control-worker/remove-dead-volumes.js';
import { resumeLives } from './control-worker/resume-lives.js';
import { runPeriodically } from './control-worker/run-periodically.js';
import { sweepJobs } from './control-worker/sweep-jobs.js';
import { sweepRegistrations } from './control-worker/sweep-registrations.js';
import { sweepStages } from './control-worker/sweep-stages.js';
import { wakeForgotten } from './control-worker/wake-forgotten.js';
import { tellBandwidth } from './control-worker/tell-bandwidth.js';
import { runWorkerProcess } from './run-worker-process.js';
import { workflowBundle } from './workflow-bundle.js';

const LOOK_EVERY_MS = 5_000;
const PROGRESS_EVERY_MS = 1_000;
const FOLD_EVERY_MS = 60_000;

/** Runs all workflows and the activities of the control queue. Any number of these serve one installation. */
await runWorkerProcess('control worker', async (ready) => {
  const database = openDatabase(requiredVariable(process.env, 'DATABASE_URL'), {
    applicationName: 'slipway-control-worker',
    max: 20,
  });
  const secretBox = await createSecretBox(requiredVariable(process.env, 'SLIPWAY_SECRET_KEY'));
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const connection = await connectWorker(connectionOptions);
  const client = connectTemporal();
  await ensureSearchAttributes(client);
  const dependencies = { db: database.db, client, secretBox };
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: CONTROL_TASK_QUEUE,
    identity: `control-worker@${process.pid}`,
    workflowBundle: workflowBundle(),
    activities: createControlActivities(dependencies),
    interceptors: { activity: [activityBoundary] },
    ...CONTROL_SLOTS,
    shutdownGraceTime: '10 s',
  });
  // Each by itself: one that fails, or waits for Temporal, holds up no other.
  const looks: Record<string, () => Promise<void>> = {
    'job sweeper': () => sweepJobs(dependencies),
    'registration sweeper': () => sweepRegistrations(dependencies),
    'stage sweeper': () => sweepStages(dependencies),
    'waiters for stages': () => wakeForgotten(dependencies),
    'eviction of templates': () => evictUnusedCopies(dependencies),
    'removal of root disks': () => removeDeadVolumes(dependencies),
    expunging: createExpunger(dependencies),
    purge: createPurger(dependencies),
    'lives of hosts': () => resumeLives(dependencies),
    'comparison of hosts': () => reconcileHosts(dependencies),
    'maintenance of hosts': async () => void (await database.db.transaction((tx) => finishMaintenance(tx))),
    'limits of downloads': () => tellBandwidth(dependencies),
    'schedule of certificates': createCertificateScheduler(dependencies),
    'certificates that wait': () => provisionPending(dependencies),
    'expiry of certificates': warnOfExpiry(dependencies),
  };
  const periodic = [
    ...Object.entries(looks).map(([name, look]) => runPeriodically(name, LOOK_EVERY_MS, look)),
    runPeriodically('progress recorder', PROGRESS_EVERY_MS, createProgressRecorder(dependencies)),
    runPeriodically('folding of row counts', FOLD_EVERY_MS, () => foldRowCounts(database.db)),
  ];
  try {
    const running = worker.run();
    ready();
    await running;
  } finally {
    await Promise.all(periodic.map((stop) => stop()));
    await connection.close();
    await client.connection.close();
    await database.close();
  }
});
