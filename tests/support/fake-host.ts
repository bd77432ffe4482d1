import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { activityBoundary } from '../../activities/activity-boundary.js';
import { heartbeatWhileRunning } from '../../activities/heartbeat-while-running.js';
import type { HostActivities, TransferActivities } from '../../activities/host/index.js';
import { announceHost } from '../../client/announce-host.js';
import { joinHost } from '../../db/join-host.js';
import { generateKeyPair, type KeyPair } from '../../kvm/keystore/sealed-box.js';
import { sealJson } from '../../kvm/keystore/sealed-json.js';
import { keystoreDigest } from '../../kvm/keystore/certificate-chain.js';
import type { DesiredKeystore, KeystoreReport } from '../../shared/certificates.js';
import type { HostStatus, PoolPlace } from '../../shared/hosts.js';
import { hostLifeTaskQueue, hostTaskQueue, hostTransferTaskQueue } from '../../shared/task-queues.js';
import { type RootDisk, undoToken } from '../../shared/virtual-machines.js';
import { hostWorkflowId } from '../../shared/workflow-ids.js';
import type { SealedTier, TemplateCopyRef } from '../../shared/templates.js';
import type { ControlPlane } from './control-plane.js';
import { waitFor } from './wait-for.js';
import { host, storagePool } from '../../db/schema/index.js';
import { eq } from 'drizzle-orm';

type Activities = HostActivities & TransferActivities;

const GiB = 1024 ** 3;

/**
 * A KVM host whose drivers are memory, for faults that a real one cannot be brought to at will. Queues, worker and
 * workflows are real. `override` replaces what an activity does; `calls` has what was asked of it.
 */
export class FakeHost {
  readonly hostId: string;
  readonly poolId: string;
  readonly name: string;
  /** For real activities in place of its own. */
  readonly keyPair: KeyPair;
  readonly calls: { activity: keyof Activities; input: unknown }[] = [];
  /** What runs, with its token; to delete one is to let it end by itself. */
  readonly domains = new Map<string, number>();
  /** As a real host's record of started domains. */
  readonly #started = new Map<string, number>();
  readonly volumes = new Set<string>();
  /** How each volume came to be, by file name. */
  readonly disks = new Map<string, RootDisk>();
  /** What is in the CD-ROM drive of each VM, or was when it stopped. */
  readonly discs = new Map<string, string | null>();
  /** What VMs wrote to their serial console. */
  readonly consoles = new Map<string, string>();
  readonly copies = new Set<string>();
  /** The certificates that it was told to trust; a test that takes one away has it deleted by hand. */
  keystore: DesiredKeystore = { generation: 0, certificates: [] };
  /** Highest fencing token seen per VM: on a real host this is on disk, and outlives the process too. */
  readonly #tokens = new Map<string, number>();
  bootId = '';
  /** As it reports it. */
  pool: PoolPlace;
  /** Of its pool, as it reports it. */
  capacityBytes = 100 * GiB;
  /** Why it cannot use its pool, as it reports it. */
  poolProblem: string | undefined;
  /** How many pieces of short work run at once, from the next start on. */
  shortSlots = 100;
  /** How many downloads run at once, from the next start on. */
  transferSlots = 100;
  /** Partial files that it finds on its pool when it says hello. */
  partials: TemplateCopyRef[] = [];
  readonly #plane: ControlPlane;
  readonly #overrides: Partial<Activities> = {};
  #workers: Worker[] = [];
  #running: Promise<unknown> = Promise.resolve();

  private constructor(plane: ControlPlane, name: string, hostId: string, pool: PoolPlace, keyPair: KeyPair) {
    this.#plane = plane;
    this.name = name;
    this.keyPair = keyPair;
    this.hostId = hostId;
    this.poolId = pool.poolId;
    this.pool = pool;
  }

  /** Joins a host with this name, with a pool of its own or a shared one, and starts its worker. */
  static async join(
    plane: ControlPlane,
    name: string,
    shared?: { poolId: string },
    { clusterId }: { clusterId: string } = plane.seeded,
  ): Promise<FakeHost> {
    const keyPair = await generateKeyPair();
    const { publicKey } = keyPair;
    const pool: PoolPlace = {
      poolId: shared?.poolId ?? randomUUID(),
      type: shared ? 'NetworkFilesystem' : 'Filesystem',
      path: '/pool',
    };
    const { hostId } = await joinHost(plane.databaseUrl, { name, clusterId, publicKey, pools: [pool] });
    const fake = new FakeHost(plane, name, hostId, pool, keyPair);
    await fake.start();
    return fake;
  }

  /** Without an activity the host does again what it should. */
  override<Name extends keyof Activities>(name: Name, activity: Activities[Name] | undefined): void {
    this.#overrides[name] = activity;
  }

  timesAsked(activity: keyof Activities): number {
    return this.calls.filter((call) => call.activity === activity).length;
  }

  /** Starts the worker as a new process would: with a new boot id, and an announcement. */
  async start(): Promise<void> {
    this.bootId = randomUUID();
    const { connection, client } = this.#plane;
    const common = {
      connection,
      maxHeartbeatThrottleInterval: '200 ms',
      defaultHeartbeatThrottleInterval: '200 ms',
      shutdownForceTime: '5 s',
    } as const;
    const activities = this.#activities();
    this.#workers = await Promise.all([
      ...[hostTaskQueue(this.hostId), hostLifeTaskQueue(this.hostId)].map((taskQueue) =>
        Worker.create({
          ...common,
          taskQueue,
          activities,
          interceptors: { activity: [activityBoundary, heartbeatWhileRunning] },
          maxConcurrentActivityTaskExecutions: this.shortSlots,
        }),
      ),
      Worker.create({
        ...common,
        taskQueue: hostTransferTaskQueue(this.hostId),
        activities,
        interceptors: { activity: [activityBoundary] },
        maxConcurrentActivityTaskExecutions: this.transferSlots,
      }),
    ]);
    this.#running = Promise.all(this.#workers.map((worker) => worker.run()));
    await announceHost(client, { hostId: this.hostId, bootId: this.bootId, signal: new AbortController().signal });
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers) worker.shutdown();
    this.#workers = [];
    await this.#running;
  }

  /** Ends the host for good, so that the next test of a file begins with hosts of its own. */
  async retire(): Promise<void> {
    // The life of a removed host has ended.
    await this.#plane.client.workflow
      .getHandle(hostWorkflowId(this.hostId))
      .terminate('the test has ended')
      .catch(() => undefined);
    await this.stop();
    const removed = new Date().toISOString();
    await this.#plane.db.update(host).set({ status: 'Removed', removed }).where(eq(host.id, this.hostId));
    await this.#plane.db.update(storagePool).set({ removed }).where(eq(storagePool.id, this.poolId));
  }

  async isStatus(status: string): Promise<void> {
    await waitFor(`host ${this.name} is ${status}`, async () => {
      const [row] = await this.#plane.db.select().from(host).where(eq(host.id, this.hostId));
      return row?.status === status;
    });
  }

  #keystoreReport(): KeystoreReport {
    const { generation, certificates } = this.keystore;
    return { generation, digest: keystoreDigest(certificates) };
  }

  status(): HostStatus {
    return {
      facts: {
        bootId: this.bootId,
        arch: 'x86_64',
        cpus: 4,
        cpuSpeedMhz: 2000,
        memoryBytes: 16 * GiB,
        domainType: 'kvm',
        hypervisorVersion: 'QEMU 7.2.0',
        pools: [{ ...this.pool, capacityBytes: this.capacityBytes, usedBytes: 0, problem: this.poolProblem }],
        keystore: this.#keystoreReport(),
      },
      domains: [
        ...[...this.domains].map(([vmId, token]) => ({ vmId, token, state: 'Running' as const })),
        ...[...this.#started]
          .filter(([vmId]) => !this.domains.has(vmId))
          .map(([vmId, token]) => ({ vmId, token, state: 'Stopped' as const })),
      ],
    };
  }

  #fence(vmId: string, token: number): void {
    if (token < (this.#tokens.get(vmId) ?? 0)) throw refusal('SLIPWAY_FENCED', `operation ${token} is fenced`);
    this.#tokens.set(vmId, token);
  }

  #removeVolumes(volumeId: string, upToToken: number): void {
    for (const name of this.volumes) {
      const [id, of] = name.split('.');
      if (id === volumeId && Number(of) <= upToToken) this.volumes.delete(name);
    }
  }

  #activities(): Activities {
    const defaults: Activities = {
      applyCertificates: (desired) => {
        if (desired.generation < this.keystore.generation) {
          throw refusal('SLIPWAY_FENCED', `generation ${desired.generation} is fenced`);
        }
        this.keystore = desired;
        return Promise.resolve({ report: this.#keystoreReport(), rejected: [] });
      },
      dismissHost: () => Promise.resolve(),
      hello: () => Promise.resolve({ ...this.status(), partials: [{ poolId: this.poolId, copies: this.partials }] }),
      watchHost: async ({ known }) => {
        const signal = Context.current().cancellationSignal;
        const watched = this.#workers;
        // Ends when the worker is stopped too, as a process would, and when a test wants something else reported.
        while (
          JSON.stringify(this.status()) === JSON.stringify(known) &&
          !signal.aborted &&
          !this.#overrides.watchHost &&
          watched === this.#workers
        ) {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return this.status();
      },
      probeUrl: () =>
        Promise.resolve({ isMetalink: false, hasPieces: false, sizeBytes: 1000, virtualSizeBytes: 2000, mirrors: [] }),
      readSources: ({ url }) =>
        Promise.resolve({ isMetalink: false, hasPieces: false, digests: [], dropped: [], tiers: [tier(url.display)] }),
      downloadTier: ({ copy, tier: { mirrors } }) => {
        this.copies.add(copyName(copy));
        return Promise.resolve({
          sizeBytes: 1000,
          resumedFromBytes: 0,
          digests: [],
          mirrors: mirrors.map((url) => ({ url, outcome: 'used' as const, bytes: 1000 })),
        });
      },
      verifyChecksum: () => Promise.resolve(),
      installTemplate: ({ copy }) =>
        Promise.resolve({
          installPath: copyName(copy),
          virtualSizeBytes: 2000,
          physicalSizeBytes: 1000,
          allocatedBytes: 500,
        }),
      discardTemplateCopy: ({ copy }) => Promise.resolve(void this.copies.delete(copyName(copy))),
      removeTemplateCopy: ({ copy }) => {
        this.copies.delete(copyName(copy));
        return Promise.resolve({ overlays: [], usedBytes: 0 });
      },
      removeVolumeFiles: ({ vmId, token, volumeId, upToToken }) => {
        this.#fence(vmId, token);
        this.#removeVolumes(volumeId, upToToken);
        return Promise.resolve();
      },
      setBandwidth: () => Promise.resolve(),
      sweepPartials: () => Promise.resolve([]),
      takeInventory: ({ poolIds }) =>
        Promise.resolve({
          bootId: this.bootId,
          pools: poolIds.map((poolId) => ({ poolId, files: [...this.copies, ...this.volumes], recentFiles: [] })),
          vmIds: [...this.domains.keys()],
          keptVmIds: [],
        }),
      settleInventory: ({ orphans, missing }) => {
        for (const { fileName } of orphans) {
          this.copies.delete(fileName);
          this.volumes.delete(fileName);
        }
        const isMissing = ({ fileName }: { fileName: string }) =>
          !this.copies.has(fileName) && !this.volumes.has(fileName);
        return Promise.resolve({ removed: orphans, inUse: [], missing: missing.filter(isMissing) });
      },
      createRootVolume: ({ vmId, volumeId, token, disk }) => {
        this.#fence(vmId, token);
        const fileName = `${volumeId}.${token}`;
        this.volumes.add(fileName);
        this.disks.set(fileName, disk);
        return Promise.resolve({ fileName, virtualSizeBytes: disk.sizeBytes ?? 2000 });
      },
      startDomain: ({ spec, token }) => {
        this.#fence(spec.vmId, token);
        this.domains.set(spec.vmId, token);
        this.discs.set(spec.vmId, spec.iso);
        this.#started.set(spec.vmId, token);
        return Promise.resolve();
      },
      changeIso: ({ vmId, token, iso }) => {
        this.#fence(vmId, token);
        if (this.domains.has(vmId)) this.discs.set(vmId, iso);
        return Promise.resolve();
      },
      readConsole: async ({ vmId, lengthBytes, replyKey }) => {
        const end = Buffer.from(this.consoles.get(vmId) ?? '').subarray(-lengthBytes);
        return { sealed: await sealJson({ base64: end.toString('base64') }, replyKey) };
      },
      vncDisplay: ({ vmId }) => Promise.resolve({ port: this.domains.has(vmId) ? 5900 : null }),
      stopDomain: ({ vmId, token }) => {
        this.#fence(vmId, token);
        return Promise.resolve(void this.domains.delete(vmId));
      },
      rebootDomain: ({ vmId, token }) => {
        this.#fence(vmId, token);
        if (this.domains.has(vmId)) return Promise.resolve();
        return Promise.reject(refusal('SLIPWAY_HYPERVISOR', `VM ${vmId} does not run on this host`));
      },
      isDomainAlive: ({ vmId, token }) => {
        this.#fence(vmId, token);
        return Promise.resolve(this.domains.has(vmId));
      },
      removeDeployment: ({ vmId, volumeId, token }) => {
        this.#fence(vmId, undoToken(token));
        this.domains.delete(vmId);
        this.#started.delete(vmId);
        this.#removeVolumes(volumeId, token);
        return Promise.resolve();
      },
    };
    const recorded = Object.entries(defaults).map(([name, activity]) => {
      const key = name as keyof Activities;
      const run = async (input: never): Promise<unknown> => {
        this.calls.push({ activity: key, input });
        return ((this.#overrides[key] ?? activity) as (input: never) => Promise<unknown>)(input);
      };
      return [key, run];
    });
    return Object.fromEntries(recorded) as Activities;
  }
}

export const tier = (url: string, priority = 1): SealedTier => ({ priority, mirrors: [url], sealed: 'sealed' });

const copyName = ({ templateId, generation, epoch }: { templateId: string; generation: number; epoch: number }) =>
  `${templateId}.g${generation}.e${epoch}`;

/** Never answers, as a process that was killed; ends only with the worker of the test. */
export const hang = (): Promise<never> => Context.current().cancelled;

/** An error as a host throws it. */
export const refusal = (type: string, message: string, details?: unknown): ApplicationFailure =>
  ApplicationFailure.create({ type, message, nonRetryable: true, details: details === undefined ? [] : [details] });
