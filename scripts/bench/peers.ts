import { join } from 'node:path';
import { type Contender, run, shell, timed } from './contest.js';

/** What others do the same work with; each ends with its bytes synced. Digests are compared where they are computed. */

export const curl =
  (url: string): Contender =>
  (directory) => {
    const path = join(directory, 'curl');
    return timed(async () => {
      await run('curl', ['-sSf', '-o', path, url]);
      await run('sync', [path]);
    });
  };

/** curl, and a program that prints the digest of the file afterwards. */
const curlThen =
  (url: string, sha256: string, program: string, args: string[]): Contender =>
  (directory) => {
    const path = join(directory, 'curl');
    return timed(async () => {
      await run('curl', ['-sSf', '-o', path, url]);
      const { stdout } = await run(program, [...args, path]);
      if (!stdout.includes(sha256)) throw new Error(`${program} found another digest`);
      await run('sync', [path]);
    });
  };

export const curlThenSha256sum = (url: string, sha256: string): Contender => curlThen(url, sha256, 'sha256sum', []);

export const curlThenOpenssl = (url: string, sha256: string): Contender =>
  curlThen(url, sha256, 'openssl', ['dgst', '-sha256']);

export const opensslInPipe =
  (url: string, sha256: string): Contender =>
  (directory) => {
    const path = join(directory, 'pipe');
    return timed(async () => {
      const stdout = await shell('curl -sSf "$1" | tee "$2" | openssl dgst -sha256; sync "$2"', url, path);
      if (!stdout.includes(sha256)) throw new Error('openssl found another digest');
    });
  };

interface AriaOptions {
  /** Connections to each server. */
  connections?: number;
  /** Makes it hash the file, once it is there. */
  sha256?: string;
}

export const aria2 =
  (urls: readonly string[], { connections = 1, sha256 }: AriaOptions): Contender =>
  (directory) =>
    timed(async () => {
      await run('aria2c', [
        '--quiet',
        '--file-allocation=none',
        // As small as it allows, so that all connections have work.
        '--min-split-size=1M',
        `--max-connection-per-server=${connections}`,
        `--split=${connections * urls.length}`,
        ...(sha256 === undefined ? [] : [`--checksum=sha-256=${sha256}`]),
        '--dir',
        directory,
        '--out',
        'aria2c',
        ...urls,
      ]);
      await run('sync', [join(directory, 'aria2c')]);
    });

const isInstalled = (program: string): Promise<boolean> =>
  shell('command -v "$1"', program).then(
    () => true,
    () => false,
  );

/** @throws when one of the programs is missing: a benchmark without its peers tells nothing */
export async function needPrograms(...programs: string[]): Promise<void> {
  for (const program of programs) {
    if (!(await isInstalled(program))) throw new Error(`${program} is not installed`);
  }
}
