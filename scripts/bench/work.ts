import { join } from 'node:path';
import { inDirectory, shell } from './contest.js';
import { needPrograms } from './peers.js';
import { median, type BenchOptions, type BenchResult } from './result.js';
import { slipway } from './slipway.js';
import { withOrigin } from './start-origin.js';

const GIB = 1024 ** 3;

/** What a way to do the work costs. */
interface Cost {
  writtenBytes: number;
  cpuSeconds: number;
}

/** Runs a script; the shell is told what its children have used (proc(5), `io`; POSIX, `times`). */
async function costOf(script: string, ...args: string[]): Promise<Cost> {
  const output = await shell(`${script}; grep ^write_bytes /proc/$$/io; times`, ...args);
  const seconds = [...(output.split('\n').at(-2) ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  return {
    writtenBytes: Number(/^write_bytes: (\d+)/m.exec(output)?.[1]),
    cpuSeconds: seconds.reduce((sum, [, minutes, rest]) => sum + Number(minutes) * 60 + Number(rest), 0),
  };
}

type Worker = (directory: string) => Promise<Cost>;

async function costs(workers: Record<string, Worker>, rounds: number): Promise<Map<string, Cost>> {
  const known = new Map<string, Cost[]>(Object.keys(workers).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, worker] of Object.entries(workers)) known.get(name)?.push(await inDirectory(worker));
  }
  return new Map(
    [...known].map(([name, all]) => [
      name,
      {
        writtenBytes: median(all.map(({ writtenBytes }) => writtenBytes)),
        cpuSeconds: median(all.map(({ cpuSeconds }) => cpuSeconds)),
      },
    ]),
  );
}

const rowsOf = (all: Map<string, Cost>, neededBytes: number, fileBytes: number): string[] =>
  [...all].map(([name, { writtenBytes, cpuSeconds }]) => {
    const written = `${(writtenBytes / neededBytes).toFixed(2)} bytes written per byte needed`.padStart(38);
    return `${name.padEnd(34)}${written}${((cpuSeconds * 1e9) / fileBytes).toFixed(2).padStart(8)} CPU s/GB`;
  });

/**
 * What a download of a file that is kept as it is costs its host: bytes written for each byte that the pool has to
 * hold, and processor time. The ratio is of the bytes. Packed files are left out: what confined programs write and
 * compute does not reach the counters of the process that started them.
 */
export async function benchWork({ isQuick, rounds = 3 }: BenchOptions): Promise<BenchResult> {
  await needPrograms('curl', 'sha256sum');
  const sizeBytes = (isQuick ? 1 : 4) * GIB;
  return withOrigin({ sizeBytes, servers: [{}] }, async ({ urls, sha256 }) => {
    const [url = ''] = urls;
    const all = await costs(
      {
        'curl, nothing verified': (directory) => costOf('curl -sSf -o "$1/file" "$2"; sync "$1/file"', directory, url),
        'curl, then sha256sum': (directory) =>
          costOf('curl -sSf -o "$1/file" "$2"; sha256sum "$1/file" > "$1/sum"; sync "$1/file"', directory, url),
        slipway: (directory) => slipway({ urls, sha256, path: join(directory, 'slipway') }),
      },
      rounds,
    );
    return {
      ratio: (all.get('slipway')?.writtenBytes ?? Number.NaN) / sizeBytes,
      lines: [`${sizeBytes / GIB} GiB kept as it is; median of ${rounds}`, ...rowsOf(all, sizeBytes, sizeBytes)],
      figures: Object.fromEntries(all),
    };
  });
}
