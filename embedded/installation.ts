import { join } from 'node:path';
import { isSlipwayError } from '../shared/errors.js';
import type { SettingValues } from '../shared/settings.js';
import { printsReady, startChildProcess, waitUntilReady } from './child-process.js';
import { controlEnvironment, hostEnvironment } from './component-environment.js';
import { startComponent, type Component } from './component.js';
import { writeCredentials, type Credentials } from './credentials.js';
import { destroyDomains } from './destroy-domains.js';
import { requireInstallationPorts, type InstallationPorts } from './installation-ports.js';
import { joinLocalHost, type LocalHost } from './join-host.js';
import { prepareDatabase, startDatabase, startTemporalService, type ServiceContext } from './services.js';
import type { StateDirectory } from './state-directory.js';

export interface InstallationOptions {
  state: StateDirectory;
  /** Directory of the compiled programs, `dist`. */
  programs: string;
  /** DATABASE_URL and TEMPORAL_ADDRESS in it name servers to use instead of the embedded ones. */
  env: Record<string, string | undefined>;
  ports: InstallationPorts;
  hosts: number;
  /** Hosts that join for the first time share one pool. Default: each gets its own. */
  isPoolShared?: boolean;
  /** The libvirt of all hosts. Default: this machine's own. */
  libvirtUri?: string | undefined;
  controlWorkers: number;
  /** Set at each start; a list keeps what it holds beside that. Other settings are left alone. */
  settings?: Partial<SettingValues>;
  /** Whether a component that ends by itself is started again. */
  isRestarted: boolean;
  /** Told what is going on, a line at a time. */
  onLine?: (line: string) => void;
}

export interface RunningHost extends LocalHost {
  worker: Component;
}

export interface Installation {
  /** URLs of the API, one for each gateway. */
  endpoints: string[];
  credentials: Credentials;
  databaseUrl: string;
  temporalAddress: string;
  temporalUiUrl?: string;
  /** Missing when the operator's own server is used. */
  postgres?: Component;
  temporal?: Component;
  gateways: Component[];
  controlWorkers: Component[];
  hosts: RunningHost[];
  /** Ends everything in good order. Virtual machines run on. */
  stop(): Promise<void>;
  /** Stops, ends its virtual machines and removes the state directory. For installations that were made for a test. */
  destroy(): Promise<void>;
}

const COMPONENT_READY_MS = 60_000;

/** From what the user sees to what everything stands on. */
async function stopAll(started: Component[]): Promise<void> {
  const rank = ({ name }: Component): number =>
    ['gateway', 'host-worker', 'control-worker', 'temporal', 'postgresql'].findIndex((kind) => name.startsWith(kind));
  for (const level of [0, 1, 2, 3, 4]) {
    await Promise.all(started.filter((component) => rank(component) === level).map((component) => component.stop()));
  }
}

/** Like Promise.all, but lets all of them finish first: one that is still starting could not be stopped. */
async function allStarted(starting: Promise<Component>[]): Promise<Component[]> {
  const outcomes = await Promise.allSettled(starting);
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** What an operator has deleted is to stay so, and keep no other host from its start. */
const unlessDeleted = (joining: Promise<LocalHost>): Promise<LocalHost | undefined> =>
  joining.catch((error: unknown) => {
    if (isSlipwayError(error) && error.code === 'SLIPWAY_HOST_REMOVED') return undefined;
    throw error;
  });

const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/**
 * Runs a whole installation on this machine, every component as a process of its own: PostgreSQL and Temporal unless
 * `env` names others, control workers, KVM hosts with their workers, gateways. Answers when all of them serve; what is
 * in the state directory from an earlier run is continued.
 *
 * @throws SlipwayError SLIPWAY_INSTALLATION; then everything that was started has been stopped.
 */
export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  const unlock = await options.state.lock();
  const started: Component[] = [];
  const stop = async (): Promise<void> => {
    await stopAll(started);
    await unlock();
  };
  try {
    return await start(options, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * MiB for what has just been made. With the default of 16 a control worker that is busy spends a fifth of its time looking
 * for what it can forget.
 */
const CONTROL_NODE_ARGS = ['--max-semi-space-size=64'];

async function start(
  options: InstallationOptions,
  started: Component[],
  stop: () => Promise<void>,
): Promise<Installation> {
  const { state, env, ports, isRestarted, onLine = () => undefined } = options;
  await requireInstallationPorts(ports, {
    hasPostgres: !env['DATABASE_URL'],
    hasTemporal: !env['TEMPORAL_ADDRESS'],
  });
  const note = (component: Component): Component => {
    started.push(component);
    return component;
  };
  const context: ServiceContext = { stateDirectory: state.path, env, ports, isRestarted, onLine, started: note };

  const program = async (
    name: string,
    [file, ...args]: [string, ...string[]],
    environment: Record<string, string | undefined>,
    nodeArgs: readonly string[] = [],
  ): Promise<Component> =>
    note(
      await startComponent({
        name,
        isRestarted,
        onLine,
        async start() {
          const child = await startChildProcess({
            name,
            command: process.execPath,
            args: ['--enable-source-maps', ...nodeArgs, join(options.programs, file), ...args],
            env: environment,
            logPath: join(state.path, 'logs', `${name}.log`),
          });
          await waitUntilReady(child, printsReady(child), COMPONENT_READY_MS);
          return child;
        },
      }),
    );

  onLine('PostgreSQL');
  const database = await startDatabase(context);
  onLine('Database schema');
  const secretKey = await state.secretKey();
  const seeded = await prepareDatabase(database.url, secretKey, options.settings ?? {});
  const endpoints = ports.gateways.map((port) => `http://127.0.0.1:${port}/client/api`);
  // At once: the database keeps only a hash of the password.
  const credentials = await writeCredentials(state.path, { endpoint: endpoints[0] ?? '', ...seeded.admin });
  onLine('Temporal');
  const temporal = await startTemporalService(context);

  const services = {
    databaseUrl: database.url,
    secretKey,
    ...(temporal.embedded && { embeddedTemporal: temporal.embedded }),
    ...(temporal.uiUrl && { temporalUiUrl: temporal.uiUrl }),
  };
  const control = controlEnvironment(env, services);
  onLine('Control worker');
  const controlWorkers = await allStarted(
    numbered(options.controlWorkers).map((n) =>
      program(`control-worker-${n}`, ['workers/control-worker.js'], control, CONTROL_NODE_ARGS),
    ),
  );
  const hosts: RunningHost[] = [];
  for (const n of numbered(options.hosts)) {
    const name = `host-${n}`;
    onLine(`KVM host ${name}`);
    const host = await unlessDeleted(
      joinLocalHost({
        stateDirectory: state.path,
        databaseUrl: database.url,
        installationId: seeded.installationId,
        clusterId: seeded.clusterId,
        name,
        isPoolShared: options.isPoolShared ?? false,
        libvirtUri: options.libvirtUri,
      }),
    );
    if (!host) {
      onLine(`${name} was deleted, and does not start. Move ${join(state.path, 'hosts', name)} away for a new one`);
      continue;
    }
    const worker = program(
      `host-worker-${n}`,
      ['workers/host-worker.js', host.configPath],
      hostEnvironment(env, services),
    );
    hosts.push({ ...host, worker: await worker });
  }
  onLine('Gateway');
  const gateways = await allStarted(
    ports.gateways.map((port, index) =>
      program(
        `gateway-${index + 1}`,
        ['gateway/main.js'],
        {
          ...control,
          SLIPWAY_GATEWAY_HOST: '127.0.0.1',
          SLIPWAY_GATEWAY_PORT: String(port),
          // One port of the machine: the others would die of it.
          ...(index > 0 && { SLIPWAY_INTEGRATION_PORT: undefined }),
        },
        CONTROL_NODE_ARGS,
      ),
    ),
  );
  return {
    endpoints,
    credentials,
    databaseUrl: database.url,
    temporalAddress: temporal.address,
    ...(temporal.uiUrl && { temporalUiUrl: temporal.uiUrl }),
    ...(database.component && { postgres: database.component }),
    ...(temporal.component && { temporal: temporal.component }),
    gateways,
    controlWorkers,
    hosts,
    stop,
    async destroy() {
      await stop();
      for (const host of hosts) await destroyDomains(host, seeded.installationId);
      await state.remove();
    },
  };
}
