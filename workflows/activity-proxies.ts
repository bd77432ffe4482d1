import { proxyActivities } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/control/index.js';
import type { HostActivities, TransferActivities } from '../activities/host/index.js';
import { hostLifeTaskQueue, hostTaskQueue, hostTransferTaskQueue } from '../shared/task-queues.js';

/**
 * Activities by retry class. Errors that Slipway knows are never retried here: they carry their row of the failure
 * table, and the workflow decides. What is retried is the unknown, such as a database that is away.
 */

/**
 * PostgreSQL and planning. Retried for as long as it takes: a restarting database delays a deployment, no more.
 *
 * @param withinMs for all its tries together; what is cut short may have been done all the same
 */
export const control = (summary: string, withinMs?: number) =>
  proxyActivities<ControlActivities>({
    scheduleToCloseTimeout: withinMs,
    startToCloseTimeout: '30 s',
    retry: { initialInterval: '500 ms', maximumInterval: '10 s' },
    summary,
  });

/** For API calls that somebody waits for. */
export const promptControl = (summary: string) =>
  proxyActivities<ControlActivities>({
    startToCloseTimeout: '5 s',
    scheduleToCloseTimeout: '10 s',
    retry: { initialInterval: '200 ms' },
    summary,
  });

/**
 * Short work on a host. Nothing waits long in this queue, so 20 s without being started means that the host is gone.
 * Every activity there is idempotent: a second try after a heartbeat timeout is harmless.
 *
 * @param patienceMs how long the activity may wait for a guest or for servers, beside its work
 * @param withinMs for all its tries together
 */
export const onHost = (hostId: string, summary: string, patienceMs = 0, withinMs?: number) =>
  proxyActivities<HostActivities>({
    taskQueue: hostTaskQueue(hostId),
    scheduleToCloseTimeout: withinMs,
    scheduleToStartTimeout: '20 s',
    startToCloseTimeout: 5 * 60_000 + patienceMs,
    heartbeatTimeout: '15 s',
    retry: { initialInterval: '500 ms', maximumAttempts: 3 },
    summary,
  });

/** What an API call waits for: one try, and an answer that there is none rather than a second one. */
export const askOnHost = (hostId: string, timeoutMs: number, summary: string) =>
  proxyActivities<HostActivities>({
    taskQueue: hostTaskQueue(hostId),
    scheduleToCloseTimeout: timeoutMs,
    retry: { maximumAttempts: 1 },
    summary,
  });

/** Smaller numbers go first; 3 is the middle of five. */
const WANTED_PRIORITY = 2;
const PRESTAGED_PRIORITY = 4;

/** What a download takes beside its transfer, as for a file that an earlier process has left to be read again. */
const BESIDE_TRANSFER_MS = 24 * 3_600_000;

/**
 * Downloads. Waiting for a slot is normal, and accounts take turns. One try: the workflow decides what a lost host means.
 * 60 s of heartbeat timeout stand a Temporal server that is away for seconds; 10 s repeated healthy downloads in 4 of 6
 * tries.
 * TRY_CANCEL: a download whose process has ended would never confirm.
 *
 * @param totalTimeoutMs after which the host ends the transfer itself, and says so
 */
export const transferOnHost = (
  hostId: string,
  summary: string,
  { accountId, isPrestaged, totalTimeoutMs }: { accountId: string; isPrestaged: boolean; totalTimeoutMs: number },
) =>
  proxyActivities<TransferActivities>({
    taskQueue: hostTransferTaskQueue(hostId),
    startToCloseTimeout: totalTimeoutMs + BESIDE_TRANSFER_MS,
    heartbeatTimeout: '60 s',
    cancellationType: 'TRY_CANCEL',
    retry: { maximumAttempts: 1 },
    priority: { priorityKey: isPrestaged ? PRESTAGED_PRIORITY : WANTED_PRIORITY, fairnessKey: accountId },
    summary,
  });

const ENDS_WITH_PROCESS = {
  startToCloseTimeout: '1 h',
  heartbeatTimeout: '20 s',
  cancellationType: 'TRY_CANCEL',
  retry: { maximumAttempts: 1 },
} as const;

/** Waits in the host's queue for as long as the host is away, and ends with the process that has taken it. */
export const awaitHost = (hostId: string) =>
  proxyActivities<HostActivities>({
    ...ENDS_WITH_PROCESS,
    taskQueue: hostLifeTaskQueue(hostId),
    summary: 'wait for the host worker',
  });

/** Ends when something changes on the host; when nobody takes it, or it falls silent, the host is Down. */
export const watchOnHost = (hostId: string, summary: string) =>
  proxyActivities<HostActivities>({
    ...ENDS_WITH_PROCESS,
    taskQueue: hostLifeTaskQueue(hostId),
    scheduleToStartTimeout: '20 s',
    summary,
  });

/**
 * What a host does to be Up. One try: a host that has died is to be known as Down within 30 s of that, and the lifecycle
 * asks again by itself.
 */
export const settleOnHost = (hostId: string, summary: string) =>
  proxyActivities<HostActivities>({
    taskQueue: hostLifeTaskQueue(hostId),
    scheduleToStartTimeout: '20 s',
    startToCloseTimeout: 5 * 60_000,
    heartbeatTimeout: '15 s',
    retry: { maximumAttempts: 1 },
    summary,
  });
