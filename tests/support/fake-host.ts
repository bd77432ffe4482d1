import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { Worker } from '@temporalio/worker';
import { eq } from 'drizzle-orm';
import { activityBoundary } from '../../activities/activity-boundary.js';
import { heartbeatWhileRunning } from '../../activities/heartbeat-while-running.js';
import { announceHost } from '../../client/announce-host.js';
import { joinHost } from '../../db/join-host.js';
import { host, storagePool } from '../../db/schema/index.js';
import { generateKeyPair, type KeyPair } from '../../kvm/keystore/sealed-box.js';
import type { PoolPlace } from '../../shared/hosts.js';
import { hostLifeTaskQueue, hostTaskQueue, hostTransferTaskQueue } from '../../shared/task-queues.js';
import { hostWorkflowId } from '../../shared/workflow-ids.js';
import type { ControlPlane } from './control-plane.js';
import { type FakeActivities, FakeHostMemory } from './fake-host-memory.js';
import { waitFor } from './wait-for.js';

export interface FakeHostPlace {
  /** Of a shared pool; one of its own when absent. */
  poolId?: string;
  /** The seeded one when absent. */
  clusterId?: string;
}

/**
 * A KVM host whose drivers are memory, for faults that a real one cannot be brought to at will. Queues, worker and
 * workflows are real. `override` replaces what an activity does; `calls` has what was asked of it.
 */
export class FakeHost extends FakeHostMemory {
  readonly hostId: string;
  readonly name: string;
  /** For real activities in place of its own. */
  readonly keyPair: KeyPair;
  readonly calls: { activity: keyof FakeActivities; input: unknown }[] = [];
  /** How many pieces of short work run at once, from the next start on. */
  shortSlots = 100;
  /** How many downloads run at once, from the next start on. */
  transferSlots = 100;
  readonly #plane: ControlPlane;
  readonly #overrides: Partial<FakeActivities> = {};
  #workers: Worker[] = [];
  #running: Promise<unknown> = Promise.resolve();

  private constructor(plane: ControlPlane, name: string, hostId: string, pool: PoolPlace, keyPair: KeyPair) {
    super(pool);
    this.#plane = plane;
    this.name = name;
    this.keyPair = keyPair;
    this.hostId = hostId;
  }

  /** Joins a host with this name, with a pool of its own or a shared one, and starts its worker. */
  static async join(
    plane: ControlPlane,
    name: string,
    { poolId, clusterId = plane.seeded.clusterId }: FakeHostPlace = {},
  ): Promise<FakeHost> {
    const keyPair = await generateKeyPair();
    const { publicKey } = keyPair;
    const pool: PoolPlace = {
      poolId: poolId ?? randomUUID(),
      type: poolId ? 'NetworkFilesystem' : 'Filesystem',
      path: '/pool',
    };
    const { hostId } = await joinHost(plane.databaseUrl, { name, clusterId, publicKey, pools: [pool] });
    const fake = new FakeHost(plane, name, hostId, pool, keyPair);
    await fake.start();
    return fake;
  }

  /** Without an activity the host does again what it should. */
  override<Name extends keyof FakeActivities>(name: Name, activity: FakeActivities[Name] | undefined): void {
    this.#overrides[name] = activity;
  }

  timesAsked(activity: keyof FakeActivities): number {
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

  #activities(): FakeActivities {
    const defaults: FakeActivities = {
      ...this.defaults(),
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
    };
    const recorded = Object.entries(defaults).map(([name, activity]) => {
      const key = name as keyof FakeActivities;
      const run = async (input: never, ...more: never[]): Promise<unknown> => {
        this.calls.push({ activity: key, input });
        return ((this.#overrides[key] ?? activity) as (...args: never[]) => Promise<unknown>)(input, ...more);
      };
      return [key, run];
    });
    return Object.fromEntries(recorded) as FakeActivities;
  }
}
