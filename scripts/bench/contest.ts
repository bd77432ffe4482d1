import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { median } from './result.js';

export const run = promisify(execFile);

/** Does the work in an empty directory; resolves with its milliseconds. */
export type Contender = (directory: string) => Promise<number>;

/** Milliseconds of each contender in each round. */
export type Times = Map<string, number[]>;

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

/** A command of several programs; `$1` and so on are `args`. */
export async function shell(script: string, ...args: string[]): Promise<string> {
  return (await run('bash', ['-o', 'pipefail', '-ec', script, 'bash', ...args])).stdout;
}

/** Contenders take turns, so that a machine that gets slower or faster does so for all of them. */
export async function contest(contenders: Record<string, Contender>, rounds: number): Promise<Times> {
  const times: Times = new Map(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      times.get(name)?.push(await inDirectory(contender));
    }
  }
  return times;
}

export async function inDirectory<T>(act: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    return await act(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
    // What one contender left to write back must not be paid by the next.
    await run('sync', []);
  }
}

export const medianOf = (times: Times, name: string): number => median(times.get(name) ?? []);

/** The least of the medians. */
export const bestOf = (times: Times, names: readonly string[]): number =>
  Math.min(...names.map((name) => medianOf(times, name)));

/** A line for each contender, as a multiple of `floorMs`. */
export function table(times: Times, floorMs: number): string[] {
  return [...times].map(([name, values]) => {
    const ms = median(values);
    const rounds = values.map((value) => (value / 1000).toFixed(2)).join(' ');
    return `${name.padEnd(34)}${(ms / 1000).toFixed(2).padStart(8)} s${(ms / floorMs).toFixed(2).padStart(8)} x   ${rounds}`;
  });
}

export const secondsOf = (times: Times): Record<string, number> =>
  Object.fromEntries([...times].map(([name, values]) => [name, median(values) / 1000]));
