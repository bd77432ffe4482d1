import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Worker } from '@temporalio/worker';
import { activityBoundary } from '../activities/activity-boundary.js';
import { heartbeatWhileRunning } from '../activities/heartbeat-while-running.js';
import type { HostDependencies } from '../activities/host/dependencies.js';
import { createHostActivities, createTransferActivities } from '../activities/host/index.js';
import { announceHost } from '../client/announce-host.js';
import { connectTemporal } from '../client/connect.js';
import { Bandwidth } from '../kvm/download/bandwidth.js';
import { StartedDomains } from '../kvm/fence/started-domains.js';
import { TokenStore } from '../kvm/fence/token-store.js';
import { type HostConfig, readHostConfig } from '../kvm/host-config.js';
import { acquireHostLock } from '../kvm/host-lock.js';
import { LibvirtDriver } from '../kvm/hypervisor/libvirt-driver.js';
import { openPools } from '../kvm/storage/open-pools.js';
import { SlipwayError } from '../shared/errors.js';
import { hostTaskQueue, hostTransferTaskQueue } from '../shared/task-queues.js';
import { runWorkerProcess } from './run-worker-process.js';

/** Short work: mostly waiting for libvirt and for answers of image sources. */
const HOST_SLOTS = 50;
/** Each transfer can fill a link or a disk by itself. */
const TRANSFER_SLOTS = 4;
/** How soon progress is seen and a cancellation is heard, whatever the heartbeat timeout. */
const HEARTBEAT_THROTTLE = '1 s';

function poolPathOf({ pools }: HostConfig, poolId: string): string {
  const pool = pools.find((candidate) => candidate.poolId === poolId);
  if (!pool) throw new SlipwayError('SLIPWAY_POOL_IO', `Pool ${poolId} is not in this host's configuration`);
  return pool.path;
}

/** Serves one KVM host: `node host-worker.js <host.json>`. It runs activities only and has no database. */
await runWorkerProcess('host worker', async (ready) => {
  const configPath = process.argv[2];
  if (!configPath) throw new SlipwayError('SLIPWAY_PARAMETER_MISSING', 'Usage: host-worker <host.json>');
  const config = await readHostConfig(configPath);
  const lock = await acquireHostLock(config.hostId);
  const pools = await openPools(config.pools);
  const dependencies: HostDependencies = {
    bootId: randomUUID(),
    keyPair: config.keyPair,
    pools,
    libvirt: new LibvirtDriver({
      uri: config.libvirtUri,
      installationId: config.installationId,
      hostId: config.hostId,
      consoleDirectory: config.consoleDirectory,
      poolPath: (poolId) => poolPathOf(config, poolId),
    }),
    tokens: new TokenStore(config.tokenDirectory),
    bandwidth: new Bandwidth(),
    proxy: config.proxyUrl === undefined ? undefined : new URL(config.proxyUrl),
    started: new StartedDomains(path.join(path.dirname(config.tokenDirectory), 'started')),
  };
  await dependencies.tokens.sweep(Date.now());

  const { connectionOptions, namespace } = loadClientConnectConfig();
  const connection = await NativeConnection.connect(connectionOptions);
  const common = {
    connection,
    namespace,
    identity: `host-worker ${config.name}@${process.pid}`,
    maxHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    defaultHeartbeatThrottleInterval: HEARTBEAT_THROTTLE,
    shutdownGraceTime: '5 s',
  } as const;
  const short = await Worker.create({
    ...common,
    taskQueue: hostTaskQueue(config.hostId),
    activities: createHostActivities(dependencies),
    interceptors: { activity: [activityBoundary, heartbeatWhileRunning] },
    maxConcurrentActivityTaskExecutions: HOST_SLOTS,
  });
  const transfers = await Worker.create({
    ...common,
    taskQueue: hostTransferTaskQueue(config.hostId),
    activities: createTransferActivities(dependencies),
    interceptors: { activity: [activityBoundary] },
    maxConcurrentActivityTaskExecutions: TRANSFER_SLOTS,
  });
  const client = connectTemporal();
  try {
    const announcing = new AbortController();
    // A worker that is stopped while Temporal is away must not go on announcing itself.
    const running = Promise.all([short.run(), transfers.run()]).finally(() => announcing.abort());
    const { bootId } = dependencies;
    const announced = announceHost(client, { hostId: config.hostId, bootId, signal: announcing.signal }).then(
      ready,
      (error: unknown) => {
        if (!announcing.signal.aborted) throw error;
      },
    );
    await Promise.all([running, announced]);
  } finally {
    await client.connection.close();
    await connection.close();
    await lock.release();
  }
});
