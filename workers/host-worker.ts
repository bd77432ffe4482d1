import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { connectWorker } from './connect-worker.js';
import type { HostDependencies } from '../activities/host/dependencies.js';
import { announceHost } from '../client/announce-host.js';
import { connectTemporal } from '../client/connect.js';
import { addressTowards } from '../kvm/address-towards.js';
import { spawnConfined } from '../kvm/confined/spawn-confined.js';
import { Bandwidth } from '../kvm/download/bandwidth.js';
import { StartedDomains } from '../kvm/fence/started-domains.js';
import { TokenStore } from '../kvm/fence/token-store.js';
import { type HostConfig, keyPairsOf, readHostConfig } from '../kvm/host-config.js';
import { acquireHostLock } from '../kvm/host-lock.js';
import { missingTools } from '../kvm/host-tools.js';
import { LibvirtDriver } from '../kvm/hypervisor/libvirt-driver.js';
import { CertificateStore } from '../kvm/keystore/certificate-store.js';
import { createHostKeys } from '../kvm/keystore/host-keys.js';
import { openPools } from '../kvm/storage/open-pools.js';
import { SlipwayError } from '../shared/errors.js';
import { forgetExpiredKeysHourly } from './host-worker/forget-expired-keys-hourly.js';
import { createHostWorkers } from './host-worker/create-host-workers.js';
import { noteRunning } from './host-worker/note-running.js';
import { runWorkerProcess } from './run-worker-process.js';

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
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const dependencies: HostDependencies = {
    bootId: randomUUID(),
    keys: createHostKeys(keyPairsOf(config, Date.now()), async () =>
      keyPairsOf(await readHostConfig(configPath), Date.now()),
    ),
    missingTools: missingTools(config).map(({ name }) => name),
    ipAddress: await addressTowards(connectionOptions.address ?? 'localhost:7233'),
    pools,
    confinementProblem: spawnConfined.problem,
    libvirt: new LibvirtDriver({
      uri: config.libvirtUri,
      installationId: config.installationId,
      hostId: config.hostId,
      consoleDirectory: config.consoleDirectory,
      poolPath: (poolId) => poolPathOf(config, poolId),
      guestNetwork: { bridge: config.guestBridge, vlanInterface: config.guestVlanInterface },
    }),
    tokens: new TokenStore(config.tokenDirectory),
    certificates: await CertificateStore.open(config.certificateDirectory),
    bandwidth: new Bandwidth(),
    proxy: config.proxyUrl === undefined ? undefined : new URL(config.proxyUrl),
    started: new StartedDomains(path.join(path.dirname(config.tokenDirectory), 'started')),
  };
  const forgetting = forgetExpiredKeysHourly(configPath, dependencies.keys);
  await dependencies.tokens.sweep(Date.now());
  // When libvirt is away nothing starts either, and the next start of this process sweeps, and notes.
  await dependencies.libvirt.sweepSeeds().catch(() => undefined);
  await noteRunning(dependencies).catch(() => undefined);

  const connection = await connectWorker(connectionOptions);
  const workers = await createHostWorkers(
    { connection, namespace, hostId: config.hostId, name: config.name },
    dependencies,
  );
  const client = connectTemporal();
  try {
    const announcing = new AbortController();
    // A worker that is stopped while Temporal is away must not go on announcing itself.
    const running = Promise.all(workers.map((worker) => worker.run())).finally(() => announcing.abort());
    const { bootId } = dependencies;
    const announced = announceHost(client, { hostId: config.hostId, bootId, signal: announcing.signal }).then(
      ready,
      (error: unknown) => {
        if (!announcing.signal.aborted) throw error;
      },
    );
    await Promise.all([running, announced]);
  } finally {
    clearInterval(forgetting);
    await client.connection.close();
    await connection.close();
    await lock.release();
  }
});
