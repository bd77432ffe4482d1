import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcess, ExitStatus } from './child-process.js';

/** One process of an installation, over its restarts. */
export interface Component {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  isRunning(): boolean;
  /** Resolves when the process that runs now is gone. */
  exited(): Promise<ExitStatus>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it in good order; it stays down. */
  stop(): Promise<void>;
  /** Starts it, after stopping it if it runs, and waits until it serves. */
  restart(): Promise<void>;
}

export interface ComponentOptions {
  name: string;
  /** Starts the process and resolves when it serves. */
  start: () => Promise<ChildProcess>;
  /** Start it again when it ends by itself. Off where a test kills it and wants it to stay dead. */
  isRestarted: boolean;
  onLine: (line: string) => void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
/** One that lived this long has recovered: its next failure is a new one. */
const STEADY_MS = 60_000;

const howItEnded = ({ code, signal }: ExitStatus): string => (signal ? `by ${signal}` : `with status ${code}`);

export async function startComponent(options: ComponentOptions): Promise<Component> {
  const { name, start, isRestarted, onLine } = options;
  let child = await start();
  // Counts deliberate stops and starts: a watcher of an earlier process must not act on a later one.
  let era = 0;

  async function revive(startedInEra: number): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      const since = performance.now();
      const status = await child.exited;
      if (era !== startedInEra) return;
      if (performance.now() - since > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      onLine(`${name} ended ${howItEnded(status)}; it is started again in ${pauseMs / 1000} s (log: ${child.logPath})`);
      await delay(pauseMs, undefined, { ref: false });
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
      if (era !== startedInEra) return;
      try {
        const next = await start();
        if (era !== startedInEra) {
          await next.stop();
          return;
        }
        child = next;
        onLine(`${name} serves again`);
      } catch (error) {
        onLine(error instanceof Error ? error.message : String(error));
      }
    }
  }

  const watch = (): void => {
    if (isRestarted) void revive(era);
  };
  watch();
  return {
    name,
    get pid() {
      return child.pid;
    },
    get logPath() {
      return child.logPath;
    },
    isRunning: () => child.isRunning(),
    exited: () => child.exited,
    kill: (signal) => child.kill(signal),
    async stop() {
      era += 1;
      await child.stop();
    },
    async restart() {
      era += 1;
      await child.stop();
      child = await start();
      watch();
    },
  };
}
