import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { Client, Connection } from '@temporalio/client';
import { connectWorker } from '../../../workers/connect-worker.js';
import type { HostDependencies } from '../../../activities/host/dependencies.js';
import { announceHost } from '../../../client/announce-host.js';
import { Bandwidth } from '../../../kvm/download/bandwidth.js';
import { createHostKeys } from '../../../kvm/keystore/host-keys.js';
import { StartedDomains } from '../../../kvm/fence/started-domains.js';
import { TokenStore } from '../../../kvm/fence/token-store.js';
import { CertificateStore } from '../../../kvm/keystore/certificate-store.js';
import { readHostConfig } from '../../../kvm/host-config.js';
import { createHostWorkers } from '../../../workers/host-worker/create-host-workers.js';
import { type Room, SimulatedLibvirt, type VmSize } from './simulated-libvirt.js';
import { SimulatedPool } from './simulated-pool.js';
import { answerQuestions } from './talking-process.js';

/** Many hosts in one process: what of a host worker is above the drivers of `kvm/`, with the real queues. */
export interface HostsOptions {
  address: string;
  configPaths: string[];
  vmsPerHost: number;
  size: VmSize;
}

export interface HostsQuestion {
  vmsPerHost?: number;
}

export interface HostsAnswer {
  /** Domains of each host. */
  domains: Record<string, string[]>;
}

const options = JSON.parse(process.argv[2] ?? '{}') as HostsOptions;
Runtime.install({
  logger: new DefaultLogger('ERROR'),
});
const { address, size } = options;
const room: Room = { vms: options.vmsPerHost, size };
const connection = await connectWorker({ address });
const client = new Client({ connection: await Connection.connect({ address }) });
const drivers = new Map<string, SimulatedLibvirt>();

for (const configPath of options.configPaths) {
  const { hostId, name, keyPair, pools, tokenDirectory, certificateDirectory } = await readHostConfig(configPath);
  const libvirt = new SimulatedLibvirt(hostId, room);
  drivers.set(hostId, libvirt);
  const dependencies: HostDependencies = {
    bootId: randomUUID(),
    keys: createHostKeys([keyPair]),
    missingTools: [],
    confinementProblem: () => undefined,
    pools: new Map(pools.map((place) => [place.poolId, new SimulatedPool(place)])),
    libvirt,
    tokens: new TokenStore(tokenDirectory),
    certificates: await CertificateStore.open(certificateDirectory),
    started: new StartedDomains(path.join(path.dirname(tokenDirectory), 'started')),
    bandwidth: new Bandwidth(),
  };
  for (const worker of await createHostWorkers({ connection, hostId, name }, dependencies)) void worker.run();
  const { bootId } = dependencies;
  await announceHost(client, { hostId, bootId, signal: new AbortController().signal });
}

answerQuestions<HostsQuestion>(async ({ vmsPerHost }) => {
  if (vmsPerHost !== undefined) {
    room.vms = vmsPerHost;
    for (const driver of drivers.values()) driver.roomChanged();
  }
  return {
    domains: Object.fromEntries(
      await Promise.all(
        [...drivers].map(async ([hostId, driver]) => [hostId, (await driver.listDomains()).map(({ vmId }) => vmId)]),
      ),
    ),
  } satisfies HostsAnswer;
});
