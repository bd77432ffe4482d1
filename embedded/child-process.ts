import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SlipwayError } from '../shared/errors.js';

export interface ChildProcessSpec {
  /** Used in messages: `postgresql`, `host-worker host-1`. */
  name: string;
  command: string;
  args: string[];
  /** The whole environment. */
  env: Record<string, string | undefined>;
  /** stdout and stderr are appended to it. Its directory is made. */
  logPath: string;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** What asks it to end in good order: SIGINT is PostgreSQL's fast shutdown. Default SIGTERM. */
  stopSignal?: 'SIGTERM' | 'SIGINT';
  /** What it gets when its owner dies. Default SIGKILL: one that does not end when asked would stay for ever. */
  ownerDeathSignal?: 'SIGKILL' | 'SIGINT';
}

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface ChildProcess {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  readonly exited: Promise<ExitStatus>;
  isRunning(): boolean;
  /** What it wrote since this start. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Asks, waits `graceMs`, then kills. Resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
}

const LOG_KEPT_BYTES = 16 * 1024 ** 2;
const STOP_GRACE_MS = 15_000;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function rotate(logPath: string): void {
  if (sizeOf(logPath) > LOG_KEPT_BYTES) renameSync(logPath, `${logPath}.1`);
}

function readFrom(path: string, offset: number): string {
  return readFileSync(path).subarray(offset).toString('utf8');
}

/**
 * Runs a component as a process of its own that never outlives this one: setpriv (util-linux) asks the kernel to send
 * it a signal when this process dies, even by SIGKILL. Without that, ports and data directories would stay
 * taken by orphans and the next start would fail.
 *
 * The log file is handed over as a descriptor, not as a pipe, so a component never blocks on its parent.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when the program cannot be run at all.
 */
export async function startChildProcess(spec: ChildProcessSpec): Promise<ChildProcess> {
  const stopSignal = spec.stopSignal ?? 'SIGTERM';
  mkdirSync(dirname(spec.logPath), { recursive: true });
  rotate(spec.logPath);
  const logStart = sizeOf(spec.logPath);
  const log = openSync(spec.logPath, 'a', 0o600);
  const child = spawn(
    'setpriv',
    ['--pdeathsig', spec.ownerDeathSignal ?? 'SIGKILL', '--', spec.command, ...spec.args],
    {
      env: spec.env,
      cwd: spec.cwd ?? '/',
      stdio: ['ignore', log, log],
      // A Ctrl-C in the terminal goes to the whole group; components must end in our order, not all at once.
      detached: true,
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    },
  );
  closeSync(log);

  let running = true;
  const exited = new Promise<ExitStatus>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new SlipwayError('SLIPWAY_INSTALLATION', `${spec.name} cannot be run: ${cause.message}`, { cause }));
    });
  });

  const kill = (signal: NodeJS.Signals): void => {
    if (running) child.kill(signal);
  };
  return {
    name: spec.name,
    pid: child.pid as number,
    logPath: spec.logPath,
    exited,
    isRunning: () => running,
    output: () => readFrom(spec.logPath, logStart),
    kill,
    async stop(graceMs = STOP_GRACE_MS) {
      kill(stopSignal);
      const timer = setTimeout(() => kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Last lines of what a component wrote, for an error message: the log file is where the reader would look next. */
function tail(text: string): string {
  return text.trimEnd().split('\n').slice(-5).join('\n');
}

/**
 * Waits until `probe` is true for a process that has just been started.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION with the end of its log when it exits or stays silent for `timeoutMs`.
 * A silent one is killed.
 */
export async function waitUntilReady(
  child: ChildProcess,
  probe: (signal: AbortSignal) => Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  const died = child.exited.then(() => false);
  try {
    if (await Promise.race([probe(abort.signal), died])) return;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  const how = child.isRunning() ? `was not ready after ${Math.round(timeoutMs / 1000)} s` : 'ended while starting';
  child.kill('SIGKILL');
  await child.exited;
  throw new SlipwayError(
    'SLIPWAY_INSTALLATION',
    `${child.name} ${how}. The end of its log (${child.logPath}):\n${tail(child.output())}`,
  );
}

/** Probe for components that print one line starting with `ready` when they serve. */
export const printsReady =
  (child: ChildProcess) =>
  async (signal: AbortSignal): Promise<boolean> => {
    while (!signal.aborted) {
      if (/^ready\b/m.test(child.output())) return true;
      await delay(25);
    }
    return false;
  };
