import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { connectWorker } from '../../../workers/connect-worker.js';
import { applyCertificates } from '../../../activities/host/apply-certificates.js';
import type { HostDependencies } from '../../../activities/host/dependencies.js';
import { activityBoundary } from '../../../activities/activity-boundary.js';
import { keystoreDigest } from '../../../kvm/keystore/certificate-chain.js';
import type { ApplyCertificatesResult, DesiredKeystore } from '../../../shared/certificates.js';
import { hostTaskQueue } from '../../../shared/task-queues.js';
import { HOST_SLOTS } from '../../../workers/host-worker/create-host-workers.js';
import { answerQuestions } from '../herd/talking-process.js';

/** What of many hosts takes certificates: the queue for short work of each. What it keeps is in memory. */
export interface HostsOptions {
  address: string;
  hostIds: string[];
}

const { address, hostIds } = JSON.parse(process.argv[2] ?? '{}') as HostsOptions;
Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await connectWorker({ address });
/** In place of the store on disk: of a thousand hosts one machine would do what a thousand do. */
const certificates = {
  apply: ({ generation, certificates: told }: DesiredKeystore): Promise<ApplyCertificatesResult> =>
    Promise.resolve({ report: { generation, digest: keystoreDigest(told) }, rejected: [] }),
};

for (const hostId of hostIds) {
  const worker = await Worker.create({
    connection,
    taskQueue: hostTaskQueue(hostId),
    activities: {
      applyCertificates: applyCertificates({ certificates } as unknown as HostDependencies),
      doNothing: () => Promise.resolve(),
    },
    interceptors: { activity: [activityBoundary] },
    ...HOST_SLOTS,
  });
  void worker.run();
}
answerQuestions(() => Promise.resolve(null));
