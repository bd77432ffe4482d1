import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

const PATIENCE_MS = 120_000;

/** libvirt's own word for when a domain runs. */
export interface Starts {
  /** When the next domain has started, as `performance.now()` tells time. */
  next(): Promise<number>;
  stop(): void;
}

export async function watchStarts(uri: string): Promise<Starts> {
  const child = spawn('virsh', ['--quiet', '--connect', uri, 'uri; event --event lifecycle --loop'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const lines = createInterface({ input: child.stdout });
  // `uri` prints a line once connected.
  await once(lines, 'line');
  return {
    async next() {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      for (;;) {
        const [line] = (await once(lines, 'line', { signal })) as [string];
        if (/: Started /.test(line)) return performance.now();
      }
    },
    stop: () => void child.kill(),
  };
}
