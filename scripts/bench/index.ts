import type { BenchOptions, BenchResult } from './result.js';

/** `npm run bench -- <name> [--quick] [--json]` */
const BENCHES: Record<string, () => Promise<(options: BenchOptions) => Promise<BenchResult>>> = {
  download: async () => (await import('./download.js')).benchDownload,
};

async function main(args: string[]): Promise<void> {
  const name = args.find((arg) => !arg.startsWith('--')) ?? '';
  const load = BENCHES[name];
  if (!load) throw new Error(`Name one of these benchmarks: ${Object.keys(BENCHES).join(', ')}`);
  const isQuick = args.includes('--quick');
  const { ratio, lines, figures } = await (await load())({ isQuick });
  process.stdout.write(`${lines.join('\n')}\n`);
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ name, isQuick, ratio, ...figures })}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
