import { execFile } from 'node:child_process';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { type Database, openDatabase } from '../../db/client.js';
import type { Component } from '../../embedded/component.js';
import { type Nginx, nginxObstacle, startNginx } from './nginx.js';
import { type PrivateLibvirtd, privateLibvirtdObstacle, startPrivateLibvirtd } from './private-libvirtd.js';
import { type TestDisk, TestInstallation, type TestInstallationOptions } from './test-installation.js';
import { waitFor } from './wait-for.js';

const run = promisify(execFile);

const PERSISTENCE_MS = 90_000;

export interface JobEnd {
  hasSucceeded: boolean;
  errortext: string;
}

/** A whole installation with a mirror and a libvirt of its own, any part of which may be killed or frozen. */
export class ProvingGround {
  readonly test: TestInstallation;
  readonly libvirtd: PrivateLibvirtd;
  readonly mirror: Nginx;
  readonly db: Database;
  readonly temporal: Client;
  readonly #closeDatabase: () => Promise<void>;

  private constructor(
    test: TestInstallation,
    libvirtd: PrivateLibvirtd,
    mirror: Nginx,
    temporal: Client,
    { db, close }: ReturnType<typeof openDatabase>,
  ) {
    this.test = test;
    this.libvirtd = libvirtd;
    this.mirror = mirror;
    this.temporal = temporal;
    this.db = db;
    this.#closeDatabase = close;
  }

  /** Why it cannot be here; undefined when it can. */
  static obstacle = (): string | undefined => nginxObstacle() ?? privateLibvirtdObstacle();

  /** @param mirror directives of nginx, for example how fast it sends */
  static async start(
    options: Omit<TestInstallationOptions, 'libvirtUri'>,
    mirror: { server: string },
  ): Promise<ProvingGround> {
    const libvirtd = await startPrivateLibvirtd();
    const nginx = await startNginx(mirror);
    try {
      const test = await TestInstallation.start({ ...options, libvirtUri: libvirtd.uri });
      const { databaseUrl, temporalAddress } = test.installation;
      const temporal = new Client({ connection: Connection.lazy({ address: temporalAddress }) });
      const database = openDatabase(databaseUrl, { applicationName: 'proving-ground', max: 2 });
      return new ProvingGround(test, libvirtd, nginx, temporal, database);
    } catch (error) {
      await nginx.stop();
      await libvirtd.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.temporal.connection.close();
    await this.#closeDatabase();
    await this.test.stop();
    await this.mirror.stop();
    await this.libvirtd.stop();
  }

  /** A disk that the mirror serves, under the same name as the origin server of the installation. */
  async disk(sizeBytes: number): Promise<{ disk: TestDisk; url: string }> {
    const disk = await this.test.disk(sizeBytes, { isObliging: true });
    await copyFile(disk.file, join(this.mirror.directory, basename(disk.path)));
    return { disk, url: `http://127.0.0.1:${this.mirror.port}${disk.path}` };
  }

  /** Asks again for as long as a part that the question needs is away. */
  async persist<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
    const deadlineMs = Date.now() + PERSISTENCE_MS;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (Date.now() > deadlineMs) throw new Error(`In vain for ${PERSISTENCE_MS} ms: ${what}`, { cause: error });
        await sleep(100);
      }
    }
  }

  /** How a job ends, whatever is away meanwhile. */
  async jobEnd(jobid: string): Promise<JobEnd> {
    let end: JobEnd | undefined;
    await waitFor(
      `job ${jobid} has ended`,
      async () => {
        const job = await this.test.client.call('queryAsyncJobResult', { jobid }).catch(() => ({ jobstatus: 0 }));
        if (job['jobstatus'] === 0) return false;
        const { errortext = '' } = ((job as Record<string, unknown>)['jobresult'] ?? {}) as { errortext?: string };
        end = { hasSucceeded: job['jobstatus'] === 1, errortext };
        return true;
      },
      PERSISTENCE_MS,
    );
    return end!;
  }

  /** Every host is Up, and so is what it needs. */
  async isWhole(): Promise<void> {
    await waitFor('every host is Up', async () => {
      const { host } = await this.test.client.call('listHosts').catch(() => ({ host: [] }));
      const states = (host as { state: string; type?: string }[]).map(({ state }) => state);
      return states.length >= this.test.installation.hosts.length && states.every((state) => state === 'Up');
    });
  }

  /** Ids of the VMs whose domains are alive. */
  async domains(): Promise<string[]> {
    const { stdout } = await run('virsh', ['--quiet', '--connect', this.libvirtd.uri, 'list', '--uuid']);
    return stdout.split('\n').filter((line) => line !== '');
  }
}

/** Sends a signal to a process and its children: PostgreSQL is one for each connection. */
export async function signalTree(component: Component, signal: NodeJS.Signals): Promise<void> {
  for (const pid of await treeOf(component.pid)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      // Ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function treeOf(root: number): Promise<number[]> {
  const parents = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The name of the program is in brackets and may hold anything.
    const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    parents.set(Number(name), Number(parent));
  }
  const isBelow = (pid: number): boolean => pid === root || (parents.has(pid) && isBelow(parents.get(pid)!));
  return [...parents.keys()].filter((pid) => pid > 1 && isBelow(pid));
}
