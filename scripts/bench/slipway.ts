import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import type { OnceOptions, OnceResult } from './download-once.js';

export const BUILT_DIRECTORY = process.env['SLIPWAY_BENCH_BUILD'] ?? join(import.meta.dirname, '../../dist');

type Wanted = Omit<OnceOptions, 'builtDirectory'>;

/** `startMs`: until the built code was loaded, and from its answer to the end of the process. */
export type SlipwayResult = OnceResult & { startMs: number };

export function startSlipway(wanted: Wanted): { child: ChildProcess; result: Promise<SlipwayResult> } {
  if (!existsSync(BUILT_DIRECTORY)) throw new Error('Build first: npm run build');
  const options: OnceOptions = { ...wanted, builtDirectory: BUILT_DIRECTORY };
  const startedMs = performance.now();
  const script = join(import.meta.dirname, 'download-once.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const result = text(child.stdout).then((answer) => {
    if (answer === '') throw new Error('The download of the benchmark failed');
    const once = JSON.parse(answer) as OnceResult;
    return { ...once, startMs: performance.now() - startedMs - once.elapsedMs };
  });
  return { child, result };
}

export const slipway = (wanted: Wanted): Promise<SlipwayResult> => startSlipway(wanted).result;
