import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { median, type BenchOptions, type BenchResult } from './result.js';

const run = promisify(execFile);

const GIB = 1024 ** 3;
const ROUNDS = 3;
const BUILT_MODULE = join(import.meta.dirname, '../../dist/kvm/download/download.js');

interface Target {
  url: string;
  sha256: string;
  directory: string;
}

/** One download, verified or not, ending with the bytes synced. Resolves with milliseconds. */
type Contender = (target: Target) => Promise<number>;

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

const curl = (target: Target, path: string): Promise<unknown> => run('curl', ['-sS', '-f', '-o', path, target.url]);

const memoryBytes: number[] = [];

const CONTENDERS: Record<string, Contender> = {
  curl: (target) =>
    timed(async () => {
      const path = join(target.directory, 'curl');
      await curl(target, path);
      await run('sync', [path]);
    }),
  slipway: async (target) => {
    const script = join(import.meta.dirname, 'download-once.ts');
    const path = join(target.directory, 'slipway');
    const args = ['--import', 'tsx', script, BUILT_MODULE, target.url, path, target.sha256];
    const { stdout } = await run(process.execPath, args);
    const answer = JSON.parse(stdout) as { elapsedMs: number; maxMemoryBytes: number };
    memoryBytes.push(answer.maxMemoryBytes);
    return answer.elapsedMs;
  },
  'curl, then sha256sum': (target) =>
    timed(async () => {
      const path = join(target.directory, 'curl-sha256sum');
      await curl(target, path);
      const { stdout } = await run('sha256sum', [path]);
      if (!stdout.startsWith(target.sha256)) throw new Error('sha256sum found another digest');
      await run('sync', [path]);
    }),
  'aria2c --checksum': (target) =>
    timed(async () => {
      const flags = ['--quiet', '--file-allocation=none', `--checksum=sha-256=${target.sha256}`];
      await run('aria2c', [...flags, '--dir', target.directory, '--out', 'aria2c', target.url]);
      await run('sync', [join(target.directory, 'aria2c')]);
    }),
};

async function startOrigin(sizeBytes: number): Promise<{ child: ChildProcess; port: number; sha256: string }> {
  const script = join(import.meta.dirname, 'origin.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', script, String(sizeBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    return { child, ...(JSON.parse(line) as { port: number; sha256: string }) };
  }
  throw new Error('The origin of the benchmark did not start');
}

async function isInstalled(program: string): Promise<boolean> {
  return run(program, ['--version']).then(
    () => true,
    () => false,
  );
}

/** Contenders take turns, so that a machine that gets slower or faster does so for all of them. */
async function measure(names: readonly string[], target: Omit<Target, 'directory'>): Promise<Map<string, number[]>> {
  const times = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const directory = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
      try {
        const elapsedMs = await CONTENDERS[name]?.({ ...target, directory });
        if (elapsedMs !== undefined) times.get(name)?.push(elapsedMs);
      } finally {
        await rm(directory, { recursive: true, force: true });
        // What one contender left to write back must not be paid by the next.
        await run('sync', []);
      }
    }
  }
  return times;
}

export async function benchDownload({ isQuick }: BenchOptions): Promise<BenchResult> {
  if (!existsSync(BUILT_MODULE)) throw new Error('Build first: npm run build');
  const sizeBytes = (isQuick ? 2 : 8) * GIB;
  const names = ['curl', 'slipway', 'curl, then sha256sum'];
  if (await isInstalled('aria2c')) names.push('aria2c --checksum');
  const { child, port, sha256 } = await startOrigin(sizeBytes);
  try {
    const times = await measure(names, { url: `http://127.0.0.1:${port}/image`, sha256 });
    const medians = new Map([...times].map(([name, values]) => [name, median(values)]));
    const floorMs = medians.get('curl') ?? Number.NaN;
    const ratioOf = (name: string): number => (medians.get(name) ?? Number.NaN) / floorMs;
    const rows = [...medians].map(([name, ms]) => {
      const rounds = (times.get(name) ?? []).map((value) => (value / 1000).toFixed(2)).join(' ');
      return `${name.padEnd(22)}${(ms / 1000).toFixed(2).padStart(8)} s${ratioOf(name).toFixed(2).padStart(8)} x   ${rounds}`;
    });
    return {
      ratio: ratioOf('slipway'),
      lines: [
        `${sizeBytes / GIB} GiB over HTTP to disk, synced; all but plain curl with SHA-256 verified; median of ${ROUNDS}`,
        ...rows,
        `memory of slipway at most ${Math.round(Math.max(...memoryBytes) / 1024 ** 2)} MiB, start of its process not counted`,
      ],
      figures: { sizeBytes, secondsByName: Object.fromEntries([...medians].map(([name, ms]) => [name, ms / 1000])) },
    };
  } finally {
    child.kill();
  }
}
