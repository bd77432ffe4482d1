import { type NativeConnection, Worker } from '@temporalio/worker';
import { activityBoundary } from '../../activities/activity-boundary.js';
import { heartbeatWhileRunning } from '../../activities/heartbeat-while-running.js';
import type { HostDependencies } from '../../activities/host/dependencies.js';
import { createHostActivities, createTransferActivities } from '../../activities/host/index.js';
import { hostLifeTaskQueue, hostTaskQueue, hostTransferTaskQueue } from '../../shared/task-queues.js';

/** Each transfer can fill a link or a disk by itself. */
const TRANSFER_SLOTS = 4;
/** The watch of the host, which is always there, and the debts that it pays one after the other. */
const LIFE_SLOTS = 4;
/**
 * Each poll waits at the server all the time, and a server lets so many wait: with the ten that are the default, a
 * hundred hosts would have more than the 1,200 that Temporal allows a namespace.
 */
const FEW_POLLS = 2;
/** Of the queue for short work: mostly waiting for libvirt and for answers of image sources. */
export const HOST_SLOTS = {
  maxConcurrentActivityTaskExecutions: 50,
  maxConcurrentActivityTaskPolls: 4,
} as const;
/** How soon progress is seen and a cancellation is heard, whatever the heartbeat timeout. */
const HEARTBEAT_THROTTLE = '1 s';

export interface HostWorkersOptions {
  connection: NativeConnection;
  namespace?: string | undefined;
  hostId: string;
  /** Its name, for people who look at the queues. */
  name: string;
}

/** The workers of the queues of a host; none of them runs yet. */
export async function createHostWorkers(
  { connection, namespace, hostId, name }: HostWorkersOptions,
  dependencies: HostDependencies,
): Promise<Worker[]> {
  const common = {
    connection,
    namespace,
    identity: `host-worker ${name}@${process.pid}`,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownGraceTime: '5 s',
  } as const;
  const shortWork = {
    ...common,
    activities: createHostActivities(dependencies),
    interceptors: { activity: [activityBoundary, heartbeatWhileRunning] },
  };
  return [
    await Worker.create({
      ...shortWork,
      taskQueue: hostTaskQueue(hostId),
      ...HOST_SLOTS,
    }),
    await Worker.create({
      ...shortWork,
      taskQueue: hostLifeTaskQueue(hostId),
      maxConcurrentActivityTaskExecutions: LIFE_SLOTS,
      maxConcurrentActivityTaskPolls: FEW_POLLS,
    }),
    await Worker.create({
      ...common,
      taskQueue: hostTransferTaskQueue(hostId),
      activities: createTransferActivities(dependencies),
      interceptors: { activity: [activityBoundary] },
      maxConcurrentActivityTaskExecutions: TRANSFER_SLOTS,
      maxConcurrentActivityTaskPolls: FEW_POLLS,
    }),
  ];
}
