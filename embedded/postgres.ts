import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { startChildProcess, waitUntilReady, type ChildProcess } from './child-process.js';
import { endLeftovers } from './leftover-processes.js';
import { preparePostgresBinaries } from './postgres-binaries.js';
import { isRoot, readOrCreate, ROOT_DATA_DIRECTORY } from './state-directory.js';
import { requireSystemUser, type SystemUser } from './system-user.js';

const run = promisify(execFile);

const ROLE = 'slipway';
const DATABASE = 'slipway';
const SYSTEM_USER = 'slipway';
const READY_TIMEOUT_MS = 30_000;

interface Cluster {
  binaries: string;
  dataDirectory: string;
  password: string;
  user?: SystemUser;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** initdb fills a directory beside the final one: after a kill in the middle the next start begins afresh. */
async function initialise({ binaries, dataDirectory, password, user }: Cluster): Promise<void> {
  const partial = `${dataDirectory}.new`;
  const passwordFile = `${dataDirectory}.password`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user) {
    await chown(partial, user.uid, user.gid);
    await chown(passwordFile, user.uid, user.gid);
  }
  try {
    // The builtin locale is the same on every machine; C.UTF-8 of the C library is not there everywhere.
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--encoding=UTF8'];
    const access = ['--username', ROLE, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    await run(join(binaries, 'initdb'), ['-D', partial, ...access, ...locale], { cwd: '/', ...user });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(partial, dataDirectory);
}

async function prepareCluster(stateDirectory: string): Promise<Cluster> {
  const user = isRoot() ? await requireSystemUser(SYSTEM_USER) : undefined;
  const binaries = await preparePostgresBinaries(user && ROOT_DATA_DIRECTORY);
  const parent = join(stateDirectory, 'postgresql');
  await mkdir(parent, { recursive: true });
  await chmod(parent, 0o711);
  const password = await readOrCreate(join(parent, 'password'), () => randomBytes(24).toString('base64url'));
  const cluster: Cluster = { binaries, dataDirectory: join(parent, 'data'), password, ...(user && { user }) };
  if (!(await exists(cluster.dataDirectory))) await initialise(cluster);
  return cluster;
}

const urlOf = (password: string, port: number, database: string): string =>
  `postgres://${ROLE}:${password}@127.0.0.1:${port}/${database}`;

/** An open port is not enough: until its journal is replayed PostgreSQL turns every connection away. */
const answersQueries =
  (url: string) =>
  async (signal: AbortSignal): Promise<boolean> => {
    while (!signal.aborted) {
      const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
      try {
        await sql`select 1`;
        return true;
      } catch {
        await delay(50);
      } finally {
        await sql.end({ timeout: 1 });
      }
    }
    return false;
  };

async function ensureDatabase(maintenanceUrl: string): Promise<void> {
  const sql = postgres(maintenanceUrl, { max: 1, onnotice: () => {} });
  try {
    const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql`create database ${sql(DATABASE)}`;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Starts PostgreSQL on 127.0.0.1 with its data below `stateDirectory`, made on the first start. As root it runs as the
 * system user `slipway`. Survives a SIGKILL of the server, and of whoever ran it before.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION when it cannot be started.
 */
export async function startPostgres(
  stateDirectory: string,
  port: number,
): Promise<{ databaseUrl: string; process: ChildProcess }> {
  const { binaries, dataDirectory, password, user } = await prepareCluster(stateDirectory);
  await endLeftovers(dataDirectory, join(dataDirectory, 'postmaster.pid'));
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
  };
  const child = await startChildProcess({
    name: 'postgresql',
    command: join(binaries, 'postgres'),
    args: ['-D', dataDirectory, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: { PATH: process.env['PATH'], LANG: 'C', TZ: 'UTC' },
    logPath: join(stateDirectory, 'logs', 'postgresql.log'),
    stopSignal: 'SIGINT',
    ownerDeathSignal: 'SIGINT',
    ...user,
  });
  await waitUntilReady(child, answersQueries(urlOf(password, port, 'postgres')), READY_TIMEOUT_MS);
  await ensureDatabase(urlOf(password, port, 'postgres'));
  return { databaseUrl: urlOf(password, port, DATABASE), process: child };
}
