import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { OriginCount, OriginOptions, OriginStart } from './origin.js';

export interface Origin extends OriginStart {
  /** Since the last call. */
  count: () => Promise<OriginCount>;
}

/** Runs `act` beside a process that serves a file. */
export async function withOrigin<T>(options: OriginOptions, act: (origin: Origin) => Promise<T>): Promise<T> {
  const script = join(import.meta.dirname, 'origin.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async <L>(): Promise<L> => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('The origin of the benchmark ended');
      return JSON.parse(value) as L;
    };
    const start = await next<OriginStart>();
    const count = (): Promise<OriginCount> => {
      child.stdin.write('\n');
      return next<OriginCount>();
    };
    return await act({ ...start, count });
  } finally {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  }
}
