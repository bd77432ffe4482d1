import { rm } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
  type WorkflowBundle,
} from '@temporalio/worker';
import path from 'node:path';
import { inspect } from 'node:util';
import { activityBoundary } from '../../activities/activity-boundary.js';
import { createControlActivities } from '../../activities/control/index.js';
import { ensureSearchAttributes } from '../../client/ensure-search-attributes.js';
import { pickFreePorts } from '../../embedded/ports.js';
import { createTemporaryStateDirectory } from '../../embedded/state-directory.js';
import { startTemporal } from '../../embedded/temporal.js';
import { CONTROL_TASK_QUEUE } from '../../shared/task-queues.js';
import { recordHistories } from './record-histories.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

export interface ControlPlane extends TestDatabase {
  client: Client;
  connection: NativeConnection;
  /** Ends the control worker, and then starts another one. */
  replaceWorker(): Promise<void>;
  stop(): Promise<void>;
}

let bundle: Promise<WorkflowBundle> | undefined;

/** The workflows from their sources, bundled once per test file. */
export const testWorkflowBundle = (): Promise<WorkflowBundle> =>
  (bundle ??= bundleWorkflowCode({
    workflowsPath: path.join(__dirname, '..', '..', 'workflows', 'index.ts'),
    logger: new DefaultLogger('ERROR'),
  }));

export interface ControlPlaneOptions {
  /** Gets whatever the workers of this process log, whole and at every level; without it only errors are shown. */
  onLog?: (entry: string) => void;
}

function installRuntime({ onLog }: ControlPlaneOptions): void {
  const whole = { depth: Infinity, maxStringLength: null, maxArrayLength: null };
  Runtime.install({
    logger: onLog ? new DefaultLogger('TRACE', (entry) => onLog(inspect(entry, whole))) : new DefaultLogger('ERROR'),
    telemetryOptions: {
      logging: onLog
        ? { filter: { core: 'WARN', other: 'ERROR' }, forward: {} }
        : // The core warns of every activity that completes after its workflow was ended, as tests do all the time.
          { filter: { core: 'ERROR', other: 'ERROR' } },
    },
  });
}

/** A real Temporal server, a real database and a real control worker, in the process of the test. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  installRuntime(options);
  const database = await createTestDatabase();
  const state = await createTemporaryStateDirectory();
  const [port, uiPort] = await pickFreePorts(2);
  const server = await startTemporal({ stateDirectory: state.path, port: port!, uiPort: uiPort!, env: process.env });
  const connection = await NativeConnection.connect({ address: server.address });
  const client = new Client({ connection: await Connection.connect({ address: server.address }) });
  await ensureSearchAttributes(client);
  const workflowBundle = await testWorkflowBundle();
  const startWorker = async (): Promise<() => Promise<void>> => {
    const worker = await Worker.create({
      connection,
      taskQueue: CONTROL_TASK_QUEUE,
      workflowBundle,
      activities: createControlActivities({ db: database.db, client, secretBox: database.secretBox }),
      interceptors: { activity: [activityBoundary] },
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  };
  let stopWorker = await startWorker();
  return {
    ...database,
    client,
    connection,
    async replaceWorker() {
      await stopWorker();
      stopWorker = await startWorker();
    },
    async stop() {
      if (process.env['RECORD_HISTORIES']) {
        const testFile = path.basename(expect.getState().testPath ?? '', '.test.ts');
        await recordHistories(client, server.address, testFile);
      }
      await stopWorker();
      await client.connection.close();
      await connection.close();
      await server.process.stop();
      await rm(state.path, { recursive: true, force: true });
      await database.drop();
    },
  };
}
