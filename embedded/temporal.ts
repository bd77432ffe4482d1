import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { startChildProcess, waitUntilReady, type ChildProcess } from './child-process.js';
import { findTemporalExecutable } from './temporal-executable.js';

const run = promisify(execFile);

const READY_TIMEOUT_MS = 30_000;

/** Long enough to look into last week's deployment; the dev server's own default is a day. */
const RETENTION = '168h';

const DYNAMIC_CONFIG = {
  // Off by default in server 1.29: without them priorities and fairness keys of activities have no effect.
  'matching.useNewMatcher': true,
  'matching.enableFairness': true,
  // Four by default, and priorities hold within each alone: of a few downloads that wait for a host, one that nobody
  // waits for went first.
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  // 1,200 by default: so many polls of workers may wait at once, and a host has eight. With fifty hosts the polls of some
  // were turned away, and their work waited for minutes.
  'frontend.namespaceCount': 100_000,
  // 512 KiB by default, for the one shard that the dev server has: inputs of activities above that are read from the
  // database again, with the history around them, when each activity starts.
  'history.eventsCacheMaxSizeBytes': 32 * 1024 ** 2,
  // Off by default in server 1.29, where only its own tests switch it on: the history service made events of what it had
  // read, and bytes of them again, before the next service did the same. With many hosts a tenth of what Temporal does.
  'history.sendRawHistoryBetweenInternalServices': true,
  // A history shard looks for new tasks 20 times a second by default, and the dev server has one shard: each step of a
  // workflow waited for the next 50 ms tick. Eight activities in a row took 850 ms, and take 120 ms so.
  'history.transferProcessorMaxPollRPS': 2_000,
  'history.timerProcessorMaxPollRPS': 2_000,
  'history.visibilityProcessorMaxPollRPS': 2_000,
};

export interface TemporalOptions {
  stateDirectory: string;
  port: number;
  uiPort: number;
  env: Record<string, string | undefined>;
}

/** The port opens before the namespace exists, so this is also the test of readiness. */
const setsRetention =
  (command: string, address: string, env: Record<string, string | undefined>) =>
  async (signal: AbortSignal): Promise<boolean> => {
    const args = ['operator', 'namespace', 'update', '--namespace', 'default', '--retention', RETENTION];
    while (!signal.aborted) {
      try {
        await run(command, [...args, '--address', address], { env, signal });
        return true;
      } catch {
        await delay(50);
      }
    }
    return false;
  };

/**
 * Starts Temporal's dev server on 127.0.0.1 with its state in a file below `stateDirectory`, so that workflows survive
 * a stop and a SIGKILL.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when the CLI is missing or the server does not start.
 */
export async function startTemporal(options: TemporalOptions): Promise<{ address: string; process: ChildProcess }> {
  const command = await findTemporalExecutable(options.env);
  const directory = join(options.stateDirectory, 'temporal');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // TEMPORAL_* variables are for clients: the CLI would take TEMPORAL_ADDRESS or a profile for its own.
  const env = { PATH: options.env['PATH'], HOME: directory };
  const address = `127.0.0.1:${options.port}`;
  const child = await startChildProcess({
    name: 'temporal',
    command,
    args: [
      'server',
      'start-dev',
      '--db-filename',
      join(directory, 'temporal.db'),
      '--ip=127.0.0.1',
      `--port=${options.port}`,
      `--ui-port=${options.uiPort}`,
      // One sync to disk for each transaction, where SQLite's default journal needs several.
      '--sqlite-pragma=journal_mode=wal',
      '--log-level=warn',
      ...Object.entries(DYNAMIC_CONFIG).map(([key, value]) => `--dynamic-config-value=${key}=${value}`),
    ],
    env,
    logPath: join(options.stateDirectory, 'logs', 'temporal.log'),
  });
  await waitUntilReady(child, setsRetention(command, address, env), READY_TIMEOUT_MS);
  return { address, process: child };
}
