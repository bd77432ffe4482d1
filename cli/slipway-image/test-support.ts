/** Test support: the program as a process of its own, real servers for it, and a directory to download to. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type OriginServer, startOriginServer } from '../../demo/origin-server.js';

export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcessByStdio<null, Readable, Readable>;
  ended: Promise<Ended>;
}

export class CommandBench {
  readonly origin: OriginServer;
  readonly mirror: OriginServer;
  readonly directory: string;
  /** What `--pool` names. */
  readonly pool: string;
  readonly #running = new Set<Running['child']>();

  private constructor(origin: OriginServer, mirror: OriginServer, directory: string) {
    this.origin = origin;
    this.mirror = mirror;
    this.directory = directory;
    this.pool = join(directory, 'pool');
  }

  static async start(): Promise<CommandBench> {
    const directory = await mkdtemp(join(tmpdir(), 'slipway-image-'));
    const bench = new CommandBench(await startOriginServer(), await startOriginServer(), directory);
    await mkdir(bench.pool);
    return bench;
  }

  start(args: readonly string[]): Running {
    const main = join(import.meta.dirname, 'main.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#running.add(child);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
      ([stdout, stderr, [exitCode]]) => {
        this.#running.delete(child);
        return { stdout, stderr, exitCode: exitCode as number | null };
      },
    );
    return { child, ended };
  }

  run(...args: string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  fetchArguments(url: string, ...options: string[]): string[] {
    return ['fetch', url, '--pool', this.pool, '--allow-loopback', '--json', ...options];
  }

  /** @returns what it printed, an object in any case */
  async fetch(
    url: string,
    ...options: string[]
  ): Promise<{ exitCode: number | null; result: Record<string, unknown> }> {
    const { exitCode, stdout } = await this.run(...this.fetchArguments(url, ...options));
    return { exitCode, result: JSON.parse(stdout) as Record<string, unknown> };
  }

  /** Names in the pool. */
  async files(): Promise<string[]> {
    return (await readdir(this.pool)).sort();
  }

  async write(name: string, content: string): Promise<string> {
    await writeFile(join(this.directory, name), content);
    return join(this.directory, name);
  }

  async stop(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await this.origin.stop();
    await this.mirror.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}
