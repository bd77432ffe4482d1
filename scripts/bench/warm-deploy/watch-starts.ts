import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { waitFor } from '../../../tests/support/wait-for.js';

const PATIENCE_MS = 120_000;

/** libvirt's own word for when domains began to run. Others may start domains on the same libvirt. */
export interface Starts {
  /** Waits until the domain of this name has started. @returns when, as `performance.now()` tells time */
  of(name: string): Promise<number>;
  stop(): void;
}

export async function watchStarts(uri: string): Promise<Starts> {
  const child = spawn('virsh', ['--quiet', '--connect', uri, 'uri; event --event lifecycle --loop'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  const startedMs = new Map<string, number>();
  const lines = createInterface({ input: child.stdout }).on('line', (line) => {
    const name = /for domain '(.+?)': Started /.exec(line)?.[1];
    if (name !== undefined) startedMs.set(name, performance.now());
  });
  const closed = once(lines, 'close').then(() => {
    throw new Error(`virsh watches no domains at ${uri}`);
  });
  // `uri` prints a line once connected.
  await Promise.race([once(lines, 'line'), closed]);
  return {
    async of(name) {
      await waitFor(`domain ${name} has started`, () => Promise.resolve(startedMs.has(name)), PATIENCE_MS);
      return startedMs.get(name)!;
    },
    stop: () => void child.kill(),
  };
}
