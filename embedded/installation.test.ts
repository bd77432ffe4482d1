import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import postgres from 'postgres';
import { readHostConfig } from '../kvm/host-config.js';
import { POOL_MARKER } from '../kvm/storage/pool-marker.js';
import { pickInstallationPorts } from './installation-ports.js';
import { startInstallation, type Installation, type InstallationOptions } from './installation.js';
import { createTemporaryStateDirectory, type StateDirectory } from './state-directory.js';

const ENVCONFIG = createRequire(join(import.meta.dirname, 'installation.test.js')).resolve('@temporalio/envconfig');

/** Stands in for each program: says what it was started with, serves, ends when asked. PostgreSQL and Temporal are real. */
const PROGRAM = `
  const { loadClientConnectConfig } = require('${ENVCONFIG}');
  const { DATABASE_URL, SLIPWAY_SECRET_KEY, SLIPWAY_GATEWAY_PORT } = process.env;
  const { address, apiKey } = loadClientConnectConfig().connectionOptions;
  console.log(JSON.stringify({
    args: process.argv.slice(2), temporal: { address, apiKey }, DATABASE_URL, SLIPWAY_SECRET_KEY, SLIPWAY_GATEWAY_PORT,
  }));
  console.log('ready');
  process.on('SIGTERM', () => { console.log('asked to stop'); process.exit(0); });
  setInterval(() => {}, 1000);
`;

async function rows<Row extends object>(databaseUrl: string, text: string): Promise<Row[]> {
  const sql = postgres(databaseUrl, { max: 1 });
  try {
    return [...(await sql.unsafe<Row[]>(text))];
  } finally {
    await sql.end();
  }
}

describe('installation', () => {
  let state: StateDirectory;
  let options: InstallationOptions;

  beforeAll(async () => {
    state = await createTemporaryStateDirectory();
    const programs = join(state.path, 'programs');
    for (const file of ['workers/control-worker.js', 'workers/host-worker.js', 'gateway/main.js']) {
      await mkdir(join(programs, file, '..'), { recursive: true });
      await writeFile(join(programs, file), PROGRAM);
    }
    options = {
      state,
      programs,
      env: {
        ...process.env,
        DATABASE_URL: undefined,
        TEMPORAL_ADDRESS: undefined,
        TEMPORAL_API_KEY: 'of another server',
      },
      ports: await pickInstallationPorts(2),
      hosts: 2,
      controlWorkers: 1,
      settings: { 'direct.download.connect.timeout': '1234' },
      isRestarted: false,
    };
  });
  afterAll(() => state.remove());

  const startedWith = async (name: string): Promise<Record<string, unknown>> => {
    const log = await readFile(join(state.path, 'logs', `${name}.log`), 'utf8');
    return JSON.parse(log.split('\n')[0] ?? '') as Record<string, unknown>;
  };

  test('starts every component, gives each what it may know, and finds everything again at the next start', async () => {
    const first = await startInstallation(options);
    expect(await startedWith('control-worker-1')).toMatchObject({
      DATABASE_URL: first.databaseUrl,
      SLIPWAY_SECRET_KEY: await state.secretKey(),
      temporal: { address: first.temporalAddress },
    });
    expect(await startedWith('gateway-2')).toMatchObject({ SLIPWAY_GATEWAY_PORT: String(options.ports.gateways[1]) });
    expect(await startedWith('host-worker-1')).toEqual({
      args: [first.hosts[0]?.configPath],
      temporal: { address: first.temporalAddress },
    });
    expect(first.hosts.map(({ name }) => name)).toEqual(['host-1', 'host-2']);

    await expect(startInstallation(options)).rejects.toThrow(/already running/);
    const keyPair = (await readHostConfig(first.hosts[0]?.configPath ?? '')).keyPair;
    await first.stop();
    expect(await readFile(join(state.path, 'logs', 'host-worker-2.log'), 'utf8')).toMatch(/asked to stop/);

    const second = await startInstallation(options);
    expect(second.credentials).toEqual(first.credentials);
    expect(second.credentials.password).toEqual(expect.any(String));
    expect(second.hosts.map(({ id, poolId }) => ({ id, poolId }))).toEqual(
      first.hosts.map(({ id, poolId }) => ({ id, poolId })),
    );
    expect((await readHostConfig(second.hosts[0]?.configPath ?? '')).keyPair).toEqual(keyPair);
    expect(
      await rows(second.databaseUrl, `select value from configuration where name = 'direct.download.connect.timeout'`),
    ).toEqual([{ value: '1234' }]);
    await second.stop();
  }, 120_000);

  test('components can be killed and started one by one', async () => {
    const installation: Installation = await startInstallation(options);
    for (const component of [installation.postgres, installation.temporal, installation.hosts[0]?.worker]) {
      component?.kill('SIGKILL');
      await component?.exited();
      expect(component?.isRunning()).toBe(false);
      await component?.restart();
      expect(component?.isRunning()).toBe(true);
    }
    expect(await rows(installation.databaseUrl, 'select name from host order by name')).toEqual([
      { name: 'host-1' },
      { name: 'host-2' },
    ]);
    await installation.stop();
  }, 120_000);

  test('what was started is stopped again when a later component fails', async () => {
    await writeFile(join(options.programs, 'gateway/main.js'), `console.error('no web page'); process.exit(1);`);
    await expect(startInstallation(options)).rejects.toThrow(/gateway-[12] ended while starting.*no web page/s);
    await writeFile(join(options.programs, 'gateway/main.js'), PROGRAM);
    // The ports, the lock and the data directory are free again.
    await (await startInstallation(options)).stop();
  }, 120_000);

  test('QEMU can reach pools and consoles, and nobody but the owner keys and tokens', async () => {
    await (await startInstallation(options)).stop();
    const modeOf = async (...path: string[]): Promise<number> =>
      (await stat(join(state.path, 'hosts', 'host-1', ...path))).mode & 0o777;
    expect(await modeOf('pool')).toBe(0o711);
    expect(await modeOf('console')).toBe(0o711);
    expect(await modeOf('tokens')).toBe(0o700);
    expect(await modeOf('host.json')).toBe(0o600);
  }, 120_000);

  test('a host keeps its pool, and hosts that join a shared one have one and the same', async () => {
    const installation = await startInstallation({ ...options, hosts: 4, isPoolShared: true });
    const [first, second, third, fourth] = await Promise.all(
      installation.hosts.map(async ({ configPath }) => (await readHostConfig(configPath)).pools),
    );
    expect(first).toEqual([
      expect.objectContaining({ type: 'Filesystem', path: join(state.path, 'hosts/host-1/pool') }),
    ]);
    expect(second?.[0]?.poolId).not.toBe(first?.[0]?.poolId);
    expect(third).toEqual([
      expect.objectContaining({ type: 'SharedMountPoint', path: join(state.path, 'shared-pool') }),
    ]);
    expect(fourth).toEqual(third);
    const marker = JSON.parse(await readFile(join(state.path, 'shared-pool', POOL_MARKER), 'utf8')) as object;
    expect(marker).toMatchObject({ poolId: third?.[0]?.poolId });
    expect(await rows(installation.databaseUrl, `select scope from storage_pool order by scope`)).toEqual([
      { scope: 'CLUSTER' },
      { scope: 'HOST' },
      { scope: 'HOST' },
    ]);
    await installation.stop();
  }, 120_000);

  // The last one: it changes the hosts.
  test('a host that was renamed is the same at the next start, and one that was deleted keeps no other from it', async () => {
    const first = await startInstallation({ ...options, hosts: 3 });
    const [renamed, deleted, last] = first.hosts.map(({ id }) => id);
    await rows(
      first.databaseUrl,
      `update host set name = 'rack 1' where id = '${renamed}';
       update storage_pool set removed = now() where id = '${first.hosts[1]?.poolId}';
       update host set removed = now(), status = 'Removed' where id = '${deleted}'`,
    );
    await first.stop();

    const lines: string[] = [];
    const second = await startInstallation({ ...options, hosts: 3, onLine: (line) => lines.push(line) });
    expect(second.hosts.map(({ id }) => id)).toEqual([renamed, last]);
    const directory = join(state.path, 'hosts', 'host-2');
    expect(lines).toContain(`host-2 was deleted, and does not start. Move ${directory} away for a new one`);
    await second.stop();

    await rename(directory, `${directory}.old`);
    const third = await startInstallation({ ...options, hosts: 3 });
    expect(third.hosts.map(({ id }) => id)).toEqual([renamed, expect.any(String), last]);
    expect(third.hosts[1]?.id).not.toBe(deleted);
    await third.stop();
  }, 120_000);
});
