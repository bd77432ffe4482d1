import { NativeConnection, Worker } from '@temporalio/worker';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { activityBoundary } from '../activities/activity-boundary.js';
import { finishMaintenance } from '../activities/control/host-maintenance.js';
import { createControlActivities } from '../activities/control/index.js';
import { connectTemporal } from '../client/connect.js';
import { ensureSearchAttributes } from '../client/ensure-search-attributes.js';
import { openDatabase } from '../db/client.js';
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
import { runPeriodically } from './control-worker/run-periodically.js';
import { sweepJobs } from './control-worker/sweep-jobs.js';
import { sweepRegistrations } from './control-worker/sweep-registrations.js';
import { sweepStages } from './control-worker/sweep-stages.js';
import { createBandwidthTeller } from './control-worker/tell-bandwidth.js';
import { runWorkerProcess } from './run-worker-process.js';
import { workflowBundle } from './workflow-bundle.js';

const SWEEP_EVERY_MS = 5_000;
const PROGRESS_EVERY_MS = 1_000;

/** Runs all workflows and the activities of the control queue. Any number of these serve one installation. */
await runWorkerProcess('control worker', async (ready) => {
  const database = openDatabase(requiredVariable(process.env, 'DATABASE_URL'), {
    applicationName: 'slipway-control-worker',
    max: 20,
  });
  const secretBox = await createSecretBox(requiredVariable(process.env, 'SLIPWAY_SECRET_KEY'));
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
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
  const periodic = [
    runPeriodically('job sweeper', SWEEP_EVERY_MS, () => sweepJobs(dependencies)),
    runPeriodically('registration sweeper', SWEEP_EVERY_MS, () => sweepRegistrations(dependencies)),
    runPeriodically('stage sweeper', SWEEP_EVERY_MS, () => sweepStages(dependencies)),
    runPeriodically('eviction of templates', SWEEP_EVERY_MS, () => evictUnusedCopies(dependencies)),
    runPeriodically('removal of root disks', SWEEP_EVERY_MS, () => removeDeadVolumes(dependencies)),
    runPeriodically('expunging', SWEEP_EVERY_MS, createExpunger(dependencies)),
    runPeriodically('purge', SWEEP_EVERY_MS, createPurger(dependencies)),
    runPeriodically('comparison of hosts', SWEEP_EVERY_MS, () => reconcileHosts(dependencies)),
    runPeriodically('maintenance of hosts', SWEEP_EVERY_MS, async () => {
      await database.db.transaction((tx) => finishMaintenance(tx));
    }),
    runPeriodically('limits of downloads', SWEEP_EVERY_MS, createBandwidthTeller(dependencies)),
    runPeriodically('schedule of certificates', SWEEP_EVERY_MS, createCertificateScheduler(dependencies)),
    runPeriodically('certificates that wait', SWEEP_EVERY_MS, () => provisionPending(dependencies)),
    runPeriodically('progress recorder', PROGRESS_EVERY_MS, createProgressRecorder(dependencies)),
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
