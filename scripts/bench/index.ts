import type { BenchOptions, BenchResult } from './result.js';

/**
 * `npm run bench -- <name> [--quick] [--rounds=N] [--json]`. With `SLIPWAY_BENCH_BUILD` naming the `dist` directory of
 * another revision, that one is measured.
 */
const BENCHES: Record<string, () => Promise<(options: BenchOptions) => Promise<BenchResult>>> = {
  download: async () => (await import('./download.js')).benchDownload,
  keep: async () => (await import('./keep.js')).benchKeep,
  compressed: async () => (await import('./compressed.js')).benchCompressed,
  far: async () => (await import('./far.js')).benchFar,
  mirrors: async () => (await import('./mirrors.js')).benchMirrors,
  resume: async () => (await import('./resume.js')).benchResume,
  work: async () => (await import('./work.js')).benchWork,
  memory: async () => (await import('./memory.js')).benchMemory,
  herd: async () => (await import('./herd.js')).benchHerd,
  gateway: async () => (await import('./gateway.js')).benchGateway,
  'certificate-sync': async () => (await import('./certificate-sync.js')).benchCertificateSync,
  'warm-deploy': async () => (await import('./warm-deploy.js')).benchWarmDeploy,
};

async function main(args: string[]): Promise<void> {
  const name = args.find((arg) => !arg.startsWith('--')) ?? '';
  const load = BENCHES[name];
  if (!load) throw new Error(`Name one of these benchmarks: ${Object.keys(BENCHES).join(', ')}`);
  const isQuick = args.includes('--quick');
  const rounds = args.find((arg) => arg.startsWith('--rounds='))?.slice('--rounds='.length);
  const run = await load();
  const { ratio, lines, figures } = await run({ isQuick, rounds: rounds === undefined ? undefined : Number(rounds) });
  process.stdout.write(`${lines.join('\n')}\n`);
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ name, isQuick, ratio, ...figures })}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  if (error instanceof Error && error.cause instanceof Error) process.stderr.write(`${error.cause.message}\n`);
  process.exitCode = 1;
});
