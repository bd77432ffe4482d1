import { getEventListeners } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { DomainReport, HostFacts, HostStatus } from '../../shared/hosts.js';
import { PROTOCOL_VERSION, SLIPWAY_VERSION } from '../../shared/version.js';
import type { HostDependencies } from './dependencies.js';
import { watchHost, type WatchHostInput } from './watch-host.js';

const FACTS = { arch: 'x86_64', cpus: 1, cpuSpeedMhz: 1000, memoryBytes: 1, domainType: 'qemu', hypervisorVersion: '' };
const KEYSTORE = { generation: 0, digest: '' };

/** A host without pools, whose libvirt tells of a change when `wake` is called. */
function quietHost(input: Partial<WatchHostInput> = {}) {
  const host = {
    domains: [] as DomainReport[],
    looks: 0,
    confinementProblem: undefined as string | undefined,
    wake: (): void => undefined,
    signal: undefined as AbortSignal | undefined,
  };
  const dependencies = {
    bootId: 'boot-1',
    missingTools: ['zstd'],
    confinementProblem: () => host.confinementProblem,
    pools: new Map(),
    started: { list: () => Promise.resolve(new Map()) },
    certificates: { report: () => Promise.resolve(KEYSTORE) },
    libvirt: {
      facts: () => Promise.resolve(FACTS),
      listDomains: () => {
        host.looks++;
        return Promise.resolve(host.domains);
      },
      watchDomains: ({ signal }: { signal: AbortSignal }, onChange: () => void) => {
        Object.assign(host, { wake: onChange, signal });
        return Promise.resolve();
      },
    },
  } as unknown as HostDependencies;
  const version = { slipwayVersion: SLIPWAY_VERSION, protocolVersion: PROTOCOL_VERSION, missingTools: ['zstd'] };
  const facts = { bootId: 'boot-1', ...FACTS, pools: [], ...version, keystore: KEYSTORE } as HostFacts;
  const known = { facts, domains: [] };
  const activity = new MockActivityEnvironment();
  return { host, activity, watching: activity.run(watchHost(dependencies), { known, ...input }) };
}

async function looked(host: { looks: number }, times: number): Promise<void> {
  while (host.looks < times) await turn();
  // What comes after the look waits for nothing but promises.
  await turn();
}

const running = (vmId: string): DomainReport => ({ vmId, state: 'Running', token: 1 });

afterEach(() => {
  jest.useRealTimers();
  jest.restoreAllMocks();
});

it('listens to its own end once, however many VMs are started meanwhile, and ends when it is cancelled', async () => {
  const { host, activity, watching } = quietHost();
  await looked(host, 1);
  const listeners = () => getEventListeners(host.signal!, 'abort').length;
  const before = listeners();
  for (let started = 1; started <= 20; started++) {
    host.domains = [...host.domains, running(`vm-${started}`)];
    host.wake();
    await looked(host, started + 1);
  }
  expect(listeners()).toBe(before);
  activity.cancel();
  await expect(watching).rejects.toMatchObject({ name: 'CancelledFailure' });
  expect(host.signal?.aborted).toBe(true);
});

it('tells at once of a VM that has ended, with those that were started before it', async () => {
  const { host, watching } = quietHost();
  await looked(host, 1);
  host.domains = [running('vm-1')];
  host.wake();
  await looked(host, 2);
  host.domains = [running('vm-1'), { vmId: 'vm-2', state: 'Stopped', token: 1 }];
  host.wake();
  expect(await watching).toMatchObject({ domains: host.domains });
});

it('looks no more often than before when a VM that was started is gone again', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  jest.spyOn(performance, 'now').mockImplementation(() => Date.now());
  const { host, activity, watching } = quietHost();
  await looked(host, 1);
  host.domains = [running('vm-1')];
  host.wake();
  await looked(host, 2);
  host.domains = [];
  host.wake();
  await looked(host, 3);
  await jest.advanceTimersByTimeAsync(60_000);
  expect(host.looks).toBeLessThan(12);
  activity.cancel();
  await expect(watching).rejects.toMatchObject({ name: 'CancelledFailure' });
});

it('tells at once that programs which read images run without namespaces', async () => {
  const { host, watching } = quietHost();
  await looked(host, 1);
  host.confinementProblem = 'no permission to make one';
  host.wake();
  const { facts } = (await watching) as HostStatus;
  expect(facts.missingTools).toEqual(['zstd', 'bwrap (no permission to make one)']);
});

it('tells at once of a VM that was doubtful, and waits with others that are started then', async () => {
  const { host, watching } = quietHost({ isToTellAgain: true });
  await looked(host, 1);
  host.domains = [running('started')];
  host.wake();
  let hasTold = false;
  void watching.then(() => (hasTold = true));
  await looked(host, 2);
  await turn();
  expect(hasTold).toBe(false);
  host.domains = [];
  host.confinementProblem = 'other';
  host.wake();
  await watching;

  const again = quietHost({ isToTellAgain: true });
  again.host.domains = [running('doubtful')];
  expect(await again.watching).toMatchObject({ domains: [running('doubtful')] });
});
